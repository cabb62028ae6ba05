"""The vendor's names: which fields the sandbox knows of each type, what kind they are, and where a type lives."""

from __future__ import annotations

from collections.abc import Mapping

_OWN = "id version url changes "
_PLAIN = {"whoAmI", "balanceSheetAccount", "ledgerAccount", "postingValidationMessage", "salesModule"}
"""Types that are no records: they have no id."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    type: tuple(((_OWN if type not in _PLAIN else "") + names).split())
    for type, names in {
        "customer": "name organizationNumber customerNumber supplierNumber isSupplier isCustomer isInactive email "
        "invoiceEmail overdueNoticeEmail phoneNumber phoneNumberMobile description language displayName "
        "isPrivateIndividual singleCustomerInvoice invoiceSendMethod postalAddress physicalAddress deliveryAddress "
        "invoicesDueIn invoicesDueInType currency discountPercentage website department ledgerAccount",
        "supplier": "name organizationNumber supplierNumber customerNumber isSupplier isCustomer isInactive email "
        "bankAccounts invoiceEmail overdueNoticeEmail phoneNumber phoneNumberMobile description isPrivateIndividual "
        "showProducts postalAddress physicalAddress deliveryAddress bankAccountPresentation currency ledgerAccount "
        "language displayName website",
        "contact": "firstName lastName displayName email phoneNumberMobile phoneNumberWork customer department "
        "isInactive",
        "employee": "firstName lastName displayName employeeNumber email userType isContact department",
        "product": "name number displayNumber description orderLineDescription ean costExcludingVatCurrency "
        "priceExcludingVatCurrency priceIncludingVatCurrency isInactive productUnit isStockItem vatType currency "
        "department account supplier isDeletable displayName",
        "productUnit": "displayName displayNameShort name nameShort commonCode isDeletable",
        "department": "name departmentNumber departmentManager displayName isInactive",
        "project": "name number displayName description projectManager department mainProject startDate endDate "
        "customer isClosed isReadyForInvoicing isInternal isOffer isFixedPrice reference externalAccountsNumber "
        "vatType currency invoiceComment customerName",
        "accountingDimensionName": "dimensionName description dimensionIndex active",
        "accountingDimensionValue": "displayName nameAndNumber dimensionIndex active number "
        "showInVoucherRegistration position",
        "address": "addressLine1 addressLine2 postalCode city country displayName addressAsString",
        "order": "customer contact attn number reference receiverEmail orderDate deliveryDate deliveryComment "
        "invoiceComment department project ourContactEmployee currency invoicesDueIn invoicesDueInType "
        "isShowOpenPostsOnInvoices isClosed isPrioritizeAmountsIncludingVat orderLines isSubscription "
        "preliminaryInvoice displayName customerName status discountPercentage attachment",
        "orderLine": "product description displayName count unitPriceExcludingVatCurrency "
        "unitPriceIncludingVatCurrency currency discount vatType amountExcludingVatCurrency "
        "amountIncludingVatCurrency order sortIndex isCharged",
        "invoice": "invoiceNumber invoiceDate customer creditedInvoice isCredited invoiceDueDate kid invoiceComment "
        "comment orders orderLines voucher deliveryDate amount amountCurrency amountExcludingVat "
        "amountExcludingVatCurrency amountRoundoff amountRoundoffCurrency amountOutstanding "
        "amountCurrencyOutstanding amountOutstandingTotal amountCurrencyOutstandingTotal currency isCreditNote "
        "isCharged isApproved postings reminders documentId ehfSendStatus",
        "reminder": "reminderDate charge chargeCurrency totalCharge totalChargeCurrency totalAmountCurrency interests "
        "interestRate termOfPayment currency type comment kid",
        "supplierInvoice": "invoiceNumber invoiceDate supplier invoiceDueDate kidOrReceiverReference voucher amount "
        "amountCurrency amountExcludingVat amountExcludingVatCurrency currency isCreditNote orderLines payments "
        "originalInvoiceDocumentId approvalListElements outstandingAmount",
        "voucherApprovalListElement": "voucher employee status comment actionDate",
        "voucher": "date number tempNumber year description voucherType reverseVoucher postings document attachment "
        "externalVoucherNumber ediDocument vendorInvoiceNumber displayName numberAsString",
        "voucherStatus": "voucher type status timestamp message",
        "voucherType": "name displayName",
        "posting": "voucher date description account customer supplier employee project product department vatType "
        "amount amountCurrency amountGross amountGrossCurrency currency closeGroup invoiceNumber termOfPayment row "
        "type externalRef systemGenerated matched isVatReadonly isAmountVatClosed freeAccountingDimension1 "
        "freeAccountingDimension2 freeAccountingDimension3",
        "postingValidationMessage": "postingId message",
        "closeGroup": "date postings",
        "ledgerAccount": "account sumAmount currency sumAmountCurrency openingBalance openingBalanceCurrency "
        "closingBalance closingBalanceCurrency postings",
        "balanceSheetAccount": "account balanceIn balanceChange balanceOut startDate endDate",
        "account": "number numberPretty name description type legalVatTypes ledgerType vatType vatLocked currency "
        "isCloseable isApplicableForSupplierInvoice isInactive isBankAccount isInvoiceAccount bankAccountNumber "
        "saftCode displayName requiresDepartment requiresProject",
        "accountingPeriod": "name number start end isClosed",
        "annualAccount": "year start end",
        "vatType": "name number displayName percentage deductionPercentage parentType",
        "vatSettings": "vatRegistrationStatus",
        "paymentType": "description displayName debitAccount creditAccount vatType sequence currencyId currencyCode",
        "paymentTypeOut": "description creditAccount showIncomingInvoice showVatReturns requiresSeparateVoucher "
        "sequence isInactive displayName currencyId currencyCode",
        "currency": "code description factor displayName isDisabled",
        "currencyExchangeRate": "sourceCurrency targetCurrency rate source date",
        "country": "name displayName isoAlpha2Code isoAlpha3Code isoNumericCode",
        "document": "fileName size mimeType",
        "documentArchive": "fileName size archiveDate mimeType",
        "company": "name displayName organizationNumber email phoneNumber currency type",
        "whoAmI": "employeeId actualEmployeeId employee companyId company language loggedInWithConnect employeeIsProxy",
        "entitlement": "employee name entitlementId customer",
        "salesModule": "name costStartDate",
        "subscription": "event targetUrl fields status authHeaderName authHeaderValue hmacSharedSecret",
    }.items()
}
"""What the sandbox knows of each type; every name is Tripletex' own."""

WRITE_ONLY = {("subscription", "authHeaderValue"), ("subscription", "hmacSharedSecret")}
"""Fields that are taken and never shown."""

PATHS = {
    "orderLine": "order/orderline",
    "voucher": "ledger/voucher",
    "draft": "ledger/posting",
    "voucherType": "ledger/voucherType",
    "posting": "ledger/posting",
    "closeGroup": "ledger/closeGroup",
    "account": "ledger/account",
    "accountingPeriod": "ledger/accountingPeriod",
    "annualAccount": "ledger/annualAccount",
    "vatType": "ledger/vatType",
    "paymentType": "invoice/paymentType",
    "paymentTypeOut": "ledger/paymentTypeOut",
    "accountingDimensionName": "ledger/accountingDimensionName",
    "accountingDimensionValue": "ledger/accountingDimensionValue",
    "productUnit": "product/unit",
    "entitlement": "employee/entitlement",
    "subscription": "event/subscription",
    "address": "deliveryAddress",
}
"""Where a type lives, where that is not its own name."""

LINKS: Mapping[str, str] = {
    "customer": "customer", "supplier": "supplier", "department": "department", "project": "project",
    "mainProject": "project", "product": "product", "productUnit": "productUnit", "vatType": "vatType",
    "account": "account", "ledgerAccount": "account", "creditAccount": "account", "currency": "currency",
    "country": "country", "contact": "contact", "attn": "contact", "employee": "employee",
    "projectManager": "employee", "departmentManager": "employee", "ourContactEmployee": "employee",
    "voucherType": "voucherType", "freeAccountingDimension1": "accountingDimensionValue",
    "freeAccountingDimension2": "accountingDimensionValue", "freeAccountingDimension3": "accountingDimensionValue",
}  # fmt: skip
"""Fields that refer to another record by its id, and its type."""
ADDRESSES = frozenset({"postalAddress", "physicalAddress", "deliveryAddress"})
WHOLE = frozenset({"customerNumber", "supplierNumber", "invoicesDueIn", "position", "dimensionIndex", "sequence",
                   "currencyId"})  # fmt: skip
NUMBERS = frozenset({"discountPercentage", "costExcludingVatCurrency", "priceExcludingVatCurrency",
                     "priceIncludingVatCurrency"})  # fmt: skip
FLAGS = frozenset({"active", "vatLocked", "singleCustomerInvoice", "showProducts", "showInVoucherRegistration",
                   "showIncomingInvoice", "showVatReturns", "requiresSeparateVoucher", "requiresDepartment",
                   "requiresProject"})  # fmt: skip
DAYS = frozenset({"startDate", "endDate", "orderDate", "deliveryDate"})


def is_flag(name: str) -> bool:
    """Whether a field holds true or false."""
    return name in FLAGS or (name.startswith("is") and name[2:3].isupper())
