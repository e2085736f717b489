// Telling those who listen.
#pragma once

namespace hoopguard::workers {

// Sends what lies in hoopguard.outbox by NOTIFY, in a transaction of its own, and takes it out. A queue that is
// full loses nothing: what could not be sent stays for the next time. May throw pg::Error.
void send_notices();

}  // namespace hoopguard::workers
