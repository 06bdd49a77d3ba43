using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The client's view of a compared server.</summary>
internal interface IServer : IAsyncDisposable
{
    /// <summary>The address for clients.</summary>
    string Address { get; }

    /// <summary>
    /// The resources that the server's process has used since its start; null if it is no process of its own.
    /// </summary>
    Task<ResourceUsage?> ReadUsageAsync();

    /// <summary>
    /// The bytes of the server's process after it has released all that it does not need; 0 if it is no process of its
    /// own.
    /// </summary>
    Task<long> MeasureMemoryAsync();
}
