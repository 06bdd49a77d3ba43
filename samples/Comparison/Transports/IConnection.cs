using Grpc.Core;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A connection to the server's process, with its clients.</summary>
internal interface IConnection : IAsyncDisposable
{
    /// <summary>The client of the measured service.</summary>
    Measured.MeasuredClient Service { get; }

    /// <summary>Makes calls with loans; nothing if the transport is measured without them.</summary>
    CallInvoker? Loans => null;

    /// <summary>Joins the event service of the transport as a machine.</summary>
    /// <param name="machineId">The id of the machine, which no other machine may have.</param>
    /// <param name="handler">Receives the payload of each event, one after the other.</param>
    /// <param name="usesLanes">Whether its events may go past the hub, where the transport has lanes.</param>
    Task<IEventMachine> JoinEventsAsync(
        string machineId, Action<ReadOnlyMemory<byte>> handler, bool usesLanes = false);
}
