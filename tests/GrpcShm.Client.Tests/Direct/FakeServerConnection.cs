using System.Threading.Channels;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>A connection of a <see cref="FakeServer"/>.</summary>
internal sealed class FakeServerConnection : ICallAcceptor, IAsyncDisposable
{
    private readonly bool _isServed;
    private readonly RunProfile _profile = new(RunMode.ThreadPool);
    private readonly Channel<TestCall> _accepted = Channel.CreateUnbounded<TestCall>();
    private readonly Action<TestCall>? _onTaken;
    private int _count;

    public FakeServerConnection(
        SharedMemoryConnection connection,
        CallSettings settings,
        Func<TestCall, Task> handler,
        bool isServed,
        Action<TestCall>? onTaken = null)
    {
        Handler = handler;
        _onTaken = onTaken;
        _isServed = isServed;
        Connection = connection;
        Calls = new CallConnection(connection, settings, this);
        if (isServed)
        {
            Calls.Start();
            _ = DisposeAtTheEndAsync();
        }
    }

    public SharedMemoryConnection Connection { get; }

    public CallConnection Calls { get; }

    /// <summary>The handler of the next calls on the connection.</summary>
    public Func<TestCall, Task> Handler { get; set; }

    /// <summary>The number of calls that were taken so far.</summary>
    public int CallCount => Volatile.Read(ref _count);

    public Task<TestCall> NextCallAsync() => _accepted.Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();

    /// <summary>Waits until no call is left on the connection.</summary>
    public Task UntilIdleAsync() =>
        TimeLimit.UntilAsync(() => Calls.ActiveCalls == 0, () => $"{Calls.ActiveCalls} calls are left.");

    CallStream? ICallAcceptor.Accept()
    {
        Interlocked.Increment(ref _count);
        var call = new TestCall(_profile, Handler);
        _onTaken?.Invoke(call);
        _accepted.Writer.TryWrite(call);
        return call.Stream;
    }

    private async Task DisposeAtTheEndAsync()
    {
        // From here on the resources of this side do not count as the client's.
        await Calls.Completion;
        Connection.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        if (_isServed)
        {
            await Calls.Completion.InTime();
        }
    }
}
