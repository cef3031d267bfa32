/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyse - all analysers over two images taken apart and paired: fills the page.
 * Role: the explain stage, once; gives the account what its lines explain.
 * Guarantees: every part that is not the same bytes under the same path gets a line, or
 * is counted in one; rights are compared of all, and sets (token.h, cert.h) are of all
 * that lies in both images. Depends on the two trees only.
 */
#ifndef FG_IMAGES_ANALYSE_H
#define FG_IMAGES_ANALYSE_H

#include "images/account.h"
#include "images/page.h"
#include "images/pair.h"
#include "images/token.h"

/* account and own may be NULL. 0, FG_EIO, FG_ENOMEM, FG_ECRYPTO. */
int analyse_run(const struct pair *pair, const struct token_own *own, struct account *account, struct page *page);
/* Bytes that nothing inside stands for (a program is one piece): where sets are collected and lines are made. */
bool analyse_is_leaf(const struct parts *t, uint32_t i);

#endif
