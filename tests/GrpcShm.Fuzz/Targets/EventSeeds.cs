using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>Events with all fields that a client may set, and with some that no client should send.</summary>
internal static class EventSeeds
{
    public static Event Full { get; } = new()
    {
        Id = "4f1c",
        Name = "START",
        Source = "line-1",
        Target = "etcher",
        Payload = ByteString.CopyFromUtf8("{\"n\":1}"),
        ContentType = "application/json",
        TypeName = "Lot",
        Headers = { new Header { Name = "traceparent", Value = "00-1" }, new Header { Name = "ü", Value = "" } },
        Timestamp = 17_000_000_000_000_000,
        Version = 3,
        CorrelationId = "c",
        CausationId = "b",
        Sender = 77,
        Sequence = 12,
    };

    public static Event Small { get; } = new() { Name = "E", Target = "m" };

    public static Event Change { get; } = new()
    {
        Name = "changed",
        Source = "line-1",
        StateChange = new StateChange
        {
            OldState = "a",
            NewState = "b",
            Transition = "GO",
            Context = ByteString.CopyFromUtf8("{}"),
            ContextContentType = "application/json",
            ContextTypeName = "Context",
            Duration = -1,
        },
    };

    /// <summary>What only the hub may set.</summary>
    public static Event Forged { get; } = new()
    {
        Name = "machine.lost",
        Group = "line",
        Sender = 1,
        MachineChange = new MachineChange { Kind = MachineChangeKind.Lost, Reason = "none" },
    };

    /// <summary>
    /// Fields that the contract does not have, of each wire type, and fields of the contract that come twice.
    /// </summary>
    public static IEnumerable<byte[]> Unusual =>
    [
        [.. Full.ToByteArray(), .. Small.ToByteArray(), .. Change.ToByteArray(), .. Change.ToByteArray()],

        // The fields 100 to 104: a varint, eight bytes, bytes, a group with a varint in it, four bytes.
        [
            .. Small.ToByteArray(),
            0xA0, 0x06, 0x05,
            0xA9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8,
            0xB2, 0x06, 0x02, 0x61, 0x62,
            0xBB, 0x06, 0x08, 0x01, 0xBC, 0x06,
            0xC5, 0x06, 1, 2, 3, 4,
        ],

        // The name as a number, the time as bytes; a tag, a length and a time that are longer than they need to be.
        [0x10, 0x01, 0x4A, 0x01, 0x61, 0x92, 0x80, 0x00, 0x81, 0x80, 0x00, 0x45, 0x48, 0x81, 0x80, 0x80, 0x00],

        // A time that is zero after one that is not, and a name that is no UTF-8.
        [0x48, 0x05, 0x48, 0x00, 0x12, 0x02, 0xC3, 0x28],
    ];
}
