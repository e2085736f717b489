// Temporary roles that are over: what they own goes to the role that they were made a member of, then they go.
//
// Who is over, and dropping a role that nothing depends on any more, is hoopguard.broker_reap_roles()'s. What a
// role owns lies in databases: a worker in each hands it over, one database after the other.
#pragma once

namespace hoopguard::workers {

// A role has been made: there will be one to remove.
void expect_temporary_roles() noexcept;

// The broker's round: looks, at most every second while there are such roles; once after a start and after a
// promotion. An error is told and tried again.
void tend_temporary_roles();

}  // namespace hoopguard::workers
