// Custom Scan (HoopMask): masks columns of the rows that the node below gives. What it masks, and how, stands in
// its custom_scan_tlist alone, as mask calls over the columns below: the check of plans, EXPLAIN and execution
// read the same list.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// Before the server forks: so that parallel workers find the node by its name.
void register_mask_node();

bool is_mask_node(const CustomScan* node) noexcept;

// Below: may raise PostgreSQL errors; call inside pg::call.

// A node above `below`. `masks`: its columns, as references to columns below (OUTER_VAR) and masks of such;
// `outputs`: what it gives, as references to those (INDEX_VAR).
Plan* make_mask_node(Plan* below, List* masks, List* outputs, bool backward, int id);

}  // namespace hoopguard::mask
