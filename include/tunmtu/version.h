/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The version. The build reads it from here, so it is stated once.
 */
#ifndef TUNMTU_VERSION_H
#define TUNMTU_VERSION_H

#define TMTU_VERSION_MAJOR 0 /**< changes when the ABI breaks */
#define TMTU_VERSION_MINOR 1 /**< changes when something is added */
#define TMTU_VERSION_PATCH 0 /**< changes when something is mended */

#endif
