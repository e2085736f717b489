// The broker as the keeper of requests: it does what letters ask for, each in a transaction of its own.
#pragma once

#include <string>

namespace hoopguard::workers {

// Called once, when the broker has its database: settings that nobody may turn on it, and what its predecessor
// left.
void prepare_errands();

// Serves every letter that has been posted, lets requests and approvals expire that are due, and sends notices
// that are waiting. Returns in how many milliseconds there is something to do again, at most `most`. An error
// concerns one letter and is its answer.
long do_errands(long most);

// Ends the grants that are over, with their entries; the answer of hoopguard.broker_end_grants(). Throws pg::Error
// and pg::Refusal within its transaction.
std::string end_grants();

// Removes the temporary roles that are over; the answer of hoopguard.broker_reap_roles(). Throws in the same way.
std::string reap_roles();

}  // namespace hoopguard::workers
