// The gatherer: a short worker in the control database that brings usage up to date and does what reviews have
// due.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::workers {

// From the broker's launcher, every now and then while the control database is there: starts it once a minute,
// never twice at a time. May raise.
void tend_gatherer();

}  // namespace hoopguard::workers
