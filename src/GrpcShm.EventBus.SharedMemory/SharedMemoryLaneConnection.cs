using System.IO.Pipelines;
using GrpcShm.Transport;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.EventBus;

/// <summary>A connection over shared memory, whose two ends work on the rings themselves.</summary>
internal sealed class SharedMemoryLaneConnection : EventLaneConnection
{
    // A frame that is larger than the ring is read in pieces, and kept here until it is whole. The reader of frames has
    // a bound of its own, which is lower.
    private const long MaxUnconsumed = int.MaxValue;

    private readonly SharedMemoryConnection _connection;
    private readonly LaneReader _input;
    private readonly LaneWriter _output;

    public SharedMemoryLaneConnection(SharedMemoryConnection connection)
    {
        _connection = connection;

        // Only the steps to the work's place run on the reactor's thread itself.
        connection.RunInline = true;
        _input = new LaneReader(new RingPipeReader(connection, MaxUnconsumed), new RunProfile(RunMode.Adaptive));
        _output = new LaneWriter(new RingPipeWriter(connection), new RunProfile(RunMode.Adaptive));
    }

    public override PipeReader Input => _input;

    public override PipeWriter Output => _output;

    public override ValueTask DisposeAsync()
    {
        // It ends both operations. An end that is not completed may be in use: then its user completes it, and the
        // memory stays until both have done so.
        _connection.Dispose();
        return ValueTask.CompletedTask;
    }
}
