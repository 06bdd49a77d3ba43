using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The client's side of a server that is compared.</summary>
internal interface IServer : IAsyncDisposable
{
    /// <summary>What a client connects to.</summary>
    string Address { get; }

    /// <summary>What the server's process has used since it started; nothing if it has none of its own.</summary>
    Task<ResourceUsage?> ReadUsageAsync();

    /// <summary>
    /// The bytes that the server's process holds, once it has given back what it does not need; 0 if it has none of its
    /// own.
    /// </summary>
    Task<long> MeasureMemoryAsync();
}
