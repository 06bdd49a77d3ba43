using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Threading.Channels;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Connects clients of this process by pipes in memory.</summary>
internal sealed class PipeLanes : EventLaneTransport
{
    private readonly ConcurrentDictionary<string, Listener> _listeners = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Connection> _connections = new();
    private int _last;

    /// <summary>All ends of connections that were made, those that were closed included.</summary>
    public IReadOnlyCollection<EventLaneConnection> Connections => _connections;

    /// <summary>How many ends of connections were closed.</summary>
    public int Closed => _connections.Count(static connection => connection.IsClosed);

    /// <summary>True if no connection succeeds.</summary>
    public bool Refuses { get; set; }

    public override ValueTask<EventLaneListener> ListenAsync(CancellationToken cancellationToken)
    {
        var listener = new Listener(this, $"pipe-{Interlocked.Increment(ref _last)}");
        _listeners[listener.Address] = listener;
        return new ValueTask<EventLaneListener>(listener);
    }

    public override ValueTask<EventLaneConnection> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        var options = new PipeOptions(new FreshMemory());
        var (there, back) = (new Pipe(options), new Pipe(options));
        var (near, far) = (new Connection(back.Reader, there.Writer), new Connection(there.Reader, back.Writer));
        if (Refuses || !_listeners.TryGetValue(address, out var listener) || !listener.TryPut(far))
        {
            throw new IOException($"Nobody listens at '{address}'.");
        }

        _connections.Enqueue(near);
        _connections.Enqueue(far);
        return new ValueTask<EventLaneConnection>(near);
    }

    // A connection may be closed while its reader looks at the bytes. They must not be those of another one then.
    private sealed class FreshMemory : System.Buffers.MemoryPool<byte>
    {
        public override int MaxBufferSize => int.MaxValue;

        public override System.Buffers.IMemoryOwner<byte> Rent(int minBufferSize = -1) =>
            new Owner(new byte[Math.Max(minBufferSize, 4096)]);

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Owner(byte[] bytes) : System.Buffers.IMemoryOwner<byte>
        {
            public Memory<byte> Memory => bytes;

            public void Dispose()
            {
            }
        }
    }

    private sealed class Listener(PipeLanes lanes, string address) : EventLaneListener
    {
        private readonly Channel<EventLaneConnection> _waiting = Channel.CreateUnbounded<EventLaneConnection>();

        public override string Address => address;

        public bool TryPut(EventLaneConnection connection) => _waiting.Writer.TryWrite(connection);

        public override async ValueTask<EventLaneConnection?> AcceptAsync(CancellationToken cancellationToken) =>
            await _waiting.Reader.WaitToReadAsync(cancellationToken) && _waiting.Reader.TryRead(out var connection)
                ? connection
                : null;

        public override ValueTask DisposeAsync()
        {
            lanes._listeners.TryRemove(address, out _);
            _waiting.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Connection(PipeReader input, PipeWriter output) : EventLaneConnection
    {
        public bool IsClosed { get; private set; }

        public override PipeReader Input => input;

        public override PipeWriter Output => output;

        public override ValueTask DisposeAsync()
        {
            // A read and a flush that wait end, and the other side reads what was flushed, and then the end.
            input.CancelPendingRead();
            output.CancelPendingFlush();
            output.Complete();
            input.Complete();
            IsClosed = true;
            return ValueTask.CompletedTask;
        }
    }
}
