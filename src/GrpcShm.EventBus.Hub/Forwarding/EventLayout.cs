namespace GrpcShm.EventBus.Forwarding;

/// <summary>What the walker has found in an encoded event.</summary>
internal struct EventLayout
{
    /// <summary>Where the texts lie in the bytes that are forwarded, by their <see cref="EventPart"/>.</summary>
    public EventTexts Texts;

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

    /// <summary>Which fields have come, but for the headers: a bit for each number.</summary>
    public uint Seen;

    /// <summary>The first field that is not forwarded, in the received bytes.</summary>
    public FieldRange LeftOutFirst;

    /// <summary>The second field that is not forwarded, in the received bytes.</summary>
    public FieldRange LeftOutSecond;

    /// <summary>How many of the received bytes are not forwarded.</summary>
    public readonly int LeftOut => LeftOutFirst.Length + LeftOutSecond.Length;
}
