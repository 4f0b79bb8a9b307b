# SPDX-License-Identifier: Apache-2.0
"""What the code calls, offers and expects of BlueZ over D-Bus is there in the real one, with that signature.

The descriptions in tests/data/bluez-5.66 are what the real programs say of themselves; `make test-bluetooth` holds
them against a running bluetoothd. Signatures stand in the sources where objects are exported (SD_BUS_METHOD and its
kin): the device's, the agent's and the stand-in's. sd-bus refuses a call with another signature, so that what client
and device call of the stand-in in the tests has the right one, too."""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))
import c_source  # noqa: E402

DATA = ROOT / "tests/data/bluez-5.66"
SIDES = {"client": ["port/bluez/*.c", "port/bluez/*.h"], "device": ["device/ble*.c", "device/ble*.h"],
         "stand-in": ["tests/air/*.c", "tests/air/*.h"]}

# What is no member of an interface. BlueZ's doc/*-api.txt is where the words come from.
OPTIONS = {"Transport", "DuplicateData", "Pathloss", "Pattern"}  # keys of SetDiscoveryFilter
VALUES = {"LE", "DisplayOnly", "DisplayYesNo", "KeyboardOnly", "NoInputNoOutput", "KeyboardDisplay"}
BUS = {"GetNameOwner", "NameOwnerChanged", "GetManagedObjects", "InterfacesAdded", "InterfacesRemoved", "Get", "GetAll",
       "Set", "PropertiesChanged", "Disconnected", "AccessDenied", "NoReply", "ServiceUnknown", "UnknownObject",
       "UnknownMethod", "Local", "Timeout"}
ERRORS = {"AlreadyConnected", "AlreadyExists", "AuthenticationCanceled", "AuthenticationFailed",
          "AuthenticationRejected", "AuthenticationTimeout", "Canceled", "ConnectionAttemptFailed", "DoesNotExist",
          "Failed", "InProgress", "InvalidArguments", "InvalidLength", "InvalidOffset", "NotAuthorized", "NotAvailable",
          "NotConnected", "NotPermitted", "NotReady", "NotSupported", "Rejected"}

TABLE = re.compile(r'\b(?:SD_BUS_)?(METHOD|PROPERTY|WRITABLE_PROPERTY|SIGNAL)\(\s*"(\w+)",\s*(NULL|"[^"]*")(?:,\s*(NULL|"[^"]*"))?')
INTERFACE = re.compile(r"org\.bluez\.(\w+1)\b")
STANDS_FOR = {"METHOD": "method", "PROPERTY": "property", "WRITABLE_PROPERTY": "property", "SIGNAL": "signal"}


def arguments(member, direction):
    return "".join(one.get("type") for one in member.iter("arg") if one.get("direction", direction) == direction)


def signature_of(member):
    """(kind, what goes in or is the value, what comes out)"""
    if member.tag == "property":
        return "property", member.get("type"), ""
    return member.tag, arguments(member, "in"), arguments(member, "out")


def described():
    """Member -> its signatures in all interfaces; and the names of those."""
    members, names = {}, set()
    for path in DATA.rglob("*.xml"):
        interface = ElementTree.parse(path).find("interface")
        names.add(interface.get("name").removeprefix("org.bluez."))
        for member in interface:
            members.setdefault(member.get("name"), set()).add(signature_of(member))
    return members, names


def sources(side):
    return {path: c_source.without_comments(path.read_text()) for pattern in SIDES[side]
            for path in sorted(ROOT.glob(pattern))}


def exported(text):
    """(member, its signature) of each row of a table of sd-bus."""
    for kind, name, first, second in TABLE.findall(text):
        first, second = (one.removeprefix("NULL").strip('"') for one in (first, second))
        yield name, (STANDS_FOR[kind], first, second if kind == "METHOD" else "")


def words(text):
    """Texts that look like the name of a member."""
    return {word for word in c_source.LITERAL.findall(text) if re.fullmatch(r"[A-Z][a-z]*[A-Z]?[A-Za-z]*", word)}


def faults(text, members, interfaces):
    known = set(members) | OPTIONS | VALUES | BUS | ERRORS
    yield from (f"no member is called {word}" for word in sorted(words(text) - known))
    yield from (f"no interface is called {name}" for name in sorted(set(INTERFACE.findall(text)) - interfaces))
    for name, signature in exported(text):
        if name in members and signature not in members[name]:
            yield f"{name} is {members[name]}, not {signature}"


def test_what_is_used_of_bluez_is_there():
    members, interfaces = described()
    found = [f"{path.relative_to(ROOT)}: {fault}" for side in SIDES for path, text in sources(side).items()
             for fault in faults(text, members, interfaces)]
    assert not found, "\n".join(found)


def test_each_side_is_looked_at():
    """At least what none of them can do without."""
    members, _ = described()
    needs = {"client": {"StartDiscovery", "Connect", "Pair", "AcquireWrite", "AcquireNotify", "StartNotify",
                        "WriteValue", "RegisterAgent", "RequestPasskey", "ServicesResolved", "RSSI", "MTU"},
             "device": {"RegisterApplication", "RegisterAdvertisement", "WriteValue", "AcquireWrite", "AcquireNotify"},
             "stand-in": {"StartDiscovery", "Connect", "Pair", "RegisterApplication", "RegisterAdvertisement"}}
    for side, least in needs.items():
        used = set().union(*(words(text) for text in sources(side).values())) & set(members)
        assert least <= used, f"{side}: {least - used}"


def test_a_wrong_use_is_found():
    members, interfaces = described()

    def found(text):
        return list(faults(text, members, interfaces))
    assert not found('SD_BUS_METHOD("AcquireWrite", "a{sv}", "hq", f, 0), "org.bluez.Adapter1" "RSSI" "ok"')
    assert found('"StartDiscover"') and found('"org.bluez.Adaptor1"')
    assert found('SD_BUS_METHOD("AcquireWrite", "a{sv}", "hu", f, 0)') and found('METHOD("Cancel", "o", NULL, f)')
    assert not found('METHOD("Cancel", NULL, NULL, f)')
    assert found('SD_BUS_PROPERTY("RSSI", "i", f, 0, 0)') and found('SD_BUS_PROPERTY("Connect", "b", f, 0, 0)')
