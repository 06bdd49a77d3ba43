using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>How one end of a connection in direct mode carries calls.</summary>
internal sealed record CallSettings
{
    /// <summary>
    /// How many bytes of a call's data may be on their way or wait for their reader: the credit that each side begins a
    /// call with. The same for all, so that nobody has to wait for the other's word on it.
    /// </summary>
    public const int Window = 256 * 1024;

    /// <summary>A receiver gives credit back in pieces of at least this.</summary>
    public const int LeastCredit = Window / 4;

    /// <summary>How many calls of a connection may be under way at once.</summary>
    public int MaxCalls { get; init; } = CallTable.MaxSlots;

    /// <summary>The most bytes of a block of headers or trailers that is accepted.</summary>
    public int MaxHeaderBytes { get; init; } = HeaderBlock.MaxSize;

    /// <summary>The most fields of a block of headers or trailers that is accepted; a call with more is reset.</summary>
    public int MaxFields { get; init; } = 1000;

    /// <summary>
    /// The most bytes of names and values of a block of headers or trailers; a call with more is reset. A block is far smaller than
    /// what it means where it refers to pairs.
    /// </summary>
    public int MaxFieldBytes { get; init; } = HeaderBlock.MaxSize;

    /// <summary>Where the work of calls runs.</summary>
    public RunMode RunMode { get; init; }
}
