using System.Runtime.CompilerServices;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>
/// What the hub has to know of an encoded event. All ranges but those that are left out are ranges of the copy that is
/// forwarded.
/// </summary>
internal struct EventLayout
{
    private Texts _texts;

    /// <summary>How many bytes the payload has.</summary>
    public int PayloadLength;

    /// <summary>How many headers there are.</summary>
    public int Headers;

    /// <summary>True if the event says that its source changed its state.</summary>
    public bool HasStateChange;

    /// <summary>When the event was made, in 100-nanosecond units since 1970; zero: not given.</summary>
    public long Timestamp;

    /// <summary>The number that the client gave itself; zero: none.</summary>
    public ulong Sender;

    /// <summary>The first field that is not forwarded, in the received bytes.</summary>
    public FieldRange LeftOutFirst;

    /// <summary>The second field that is not forwarded, in the received bytes.</summary>
    public FieldRange LeftOutSecond;

    /// <summary>How many of the received bytes are not forwarded.</summary>
    public readonly int LeftOut => LeftOutFirst.Length + LeftOutSecond.Length;

    /// <summary>Where a text lies; empty if the event does not have it.</summary>
    public FieldRange this[EventPart part]
    {
        readonly get => _texts[(int)part];
        set => _texts[(int)part] = value;
    }

    [InlineArray(4)]
    private struct Texts
    {
        private FieldRange _first;
    }
}
