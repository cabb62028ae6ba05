"""The protocols that plugins implement.

A plugin speaks the vendor's own names on the wire and knows nothing of lanes, store or mapping. What it writes is a
**flow**: a short list of durable steps. The house runs the steps, writes each attempt down before its call and each
proof after it, and after a lost answer asks the step to *look* before anything is called again.

`accounting`: systems that keep a company's books (entry point group `connector.accounting`); `access_points`: the way
into Peppol (`connector.access_points`); `lenses`: for mapping files (`connector.lenses`). `kinds`, `records` and
`flows` are what they speak of.
"""

from connector.ports.access_points import (
    AccessPoint as AccessPoint,
)
from connector.ports.access_points import (
    AccessPointPlugin as AccessPointPlugin,
)
from connector.ports.access_points import (
    Callbacks as Callbacks,
)
from connector.ports.access_points import (
    Inbox as Inbox,
)
from connector.ports.access_points import (
    Message as Message,
)
from connector.ports.access_points import (
    Reason as Reason,
)
from connector.ports.access_points import (
    Report as Report,
)
from connector.ports.access_points import (
    State as State,
)
from connector.ports.access_points import (
    Status as Status,
)
from connector.ports.access_points import (
    Told as Told,
)
from connector.ports.access_points import (
    Transmission as Transmission,
)
from connector.ports.access_points import (
    Unread as Unread,
)
from connector.ports.accounting import (
    Accounting as Accounting,
)
from connector.ports.accounting import (
    AccountingPlugin as AccountingPlugin,
)
from connector.ports.accounting import (
    Company as Company,
)
from connector.ports.accounting import (
    ConnectionConfig as ConnectionConfig,
)
from connector.ports.accounting import (
    Formality as Formality,
)
from connector.ports.accounting import (
    Heard as Heard,
)
from connector.ports.accounting import (
    Hint as Hint,
)
from connector.ports.accounting import (
    Hooks as Hooks,
)
from connector.ports.accounting import (
    Probe as Probe,
)
from connector.ports.accounting import (
    Receivables as Receivables,
)
from connector.ports.accounting import (
    StandIn as StandIn,
)
from connector.ports.accounting import (
    Subscribed as Subscribed,
)
from connector.ports.flows import (
    Capabilities as Capabilities,
)
from connector.ports.flows import (
    File as File,
)
from connector.ports.flows import (
    Goal as Goal,
)
from connector.ports.flows import (
    Issued as Issued,
)
from connector.ports.flows import (
    Lane as Lane,
)
from connector.ports.flows import (
    Operation as Operation,
)
from connector.ports.flows import (
    Proof as Proof,
)
from connector.ports.flows import (
    Run as Run,
)
from connector.ports.flows import (
    Step as Step,
)
from connector.ports.flows import (
    Totals as Totals,
)
from connector.ports.kinds import (
    Json as Json,
)
from connector.ports.kinds import (
    Kind as Kind,
)
from connector.ports.lenses import (
    LensForm as LensForm,
)
from connector.ports.lenses import (
    LensPlugin as LensPlugin,
)
from connector.ports.notes import (
    page_of as page_of,
)
from connector.ports.records import (
    Changed as Changed,
)
from connector.ports.records import (
    Dispatch as Dispatch,
)
from connector.ports.records import (
    Match as Match,
)
from connector.ports.records import (
    Matched as Matched,
)
from connector.ports.records import (
    Page as Page,
)
from connector.ports.records import (
    Paid as Paid,
)
from connector.ports.records import (
    Payable as Payable,
)
from connector.ports.records import (
    Reading as Reading,
)
from connector.ports.records import (
    Record as Record,
)
