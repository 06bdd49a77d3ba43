using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A connection to the server's process, and what is called over it.</summary>
internal interface IConnection : IAsyncDisposable
{
    /// <summary>The service that is measured.</summary>
    Measured.MeasuredClient Service { get; }

    /// <summary>Joins the event service that the transport has, as a machine.</summary>
    /// <param name="machineId">The machine, of which there must be no other.</param>
    /// <param name="handler">Gets the payload of each event, one after the other.</param>
    Task<IEventMachine> JoinEventsAsync(string machineId, Action<ReadOnlyMemory<byte>> handler);
}
