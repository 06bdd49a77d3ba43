using System.Threading.Channels;
using Grpc.Net.Client;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>
/// A server that handles each call, frame by frame, as a test says. Its clients are real ones.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly TestEndPoint _endPoint = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<FakeServerConnection> _accepted = Channel.CreateUnbounded<FakeServerConnection>();
    private readonly List<FakeServerConnection> _connections = [];
    private readonly List<TestCall> _taken = [];
    private readonly Func<TestCall, Task> _handler;
    private Task _accepting = Task.CompletedTask;

    public FakeServer(Func<TestCall, Task> handler, bool listens = true)
    {
        _handler = async call =>
        {
            LastUserAgent = AgentOf(await call.HeadersReceived);
            await handler(call);
        };
        _endPoint.Settings =
            _endPoint.Settings with { Modes = static () => ConnectionModes.Calls, RingSize = RingSizes.Default };
        Options =
            new SharedMemoryClientOptions { RuntimeDirectory = _endPoint.Directory, ConnectTimeout = TimeLimit.Value };
        if (listens)
        {
            Listen();
        }
    }

    /// <summary>The options of clients. A test changes them before it makes a client.</summary>
    public SharedMemoryClientOptions Options { get; }

    public CallSettings CallSettings { get; set; } = new();

    /// <summary>False leaves connections open, without anybody who reads them.</summary>
    public bool Serves { get; init; } = true;

    /// <summary>
    /// The number of further connections from which the server goes away as soon as it has accepted them.
    /// </summary>
    public int GoesAwayFrom { get; set; }

    /// <summary>Waits until the listener has made its spare for the next client, which has descriptors, too.</summary>
    public Task SpareIsReadyAsync() => _endPoint.SpareIsReadyAsync();

    /// <summary>The header <c>user-agent</c> of the last call whose handler has begun.</summary>
    public string? LastUserAgent { get; private set; }

    /// <summary>
    /// Asserts that a call was framed by the channel itself, if any was taken. A call that is given up may be over
    /// before its handler has begun, and the handler of an earlier one may begin later: so its headers tell.
    /// </summary>
    /// <param name="before">The number of calls that had been taken before it.</param>
    public async Task AssertNativeSinceAsync(int before)
    {
        if (CallsTaken > before)
        {
            await TimeLimit.UntilAsync(
                () => AgentsSince(before).Any(IsNative),
                () => $"Calls were made by '{string.Join("', '", AgentsSince(before))}' alone.");
        }
    }

    /// <summary>The number of connections that were accepted so far.</summary>
    public int Accepted
    {
        get
        {
            lock (_connections)
            {
                return _connections.Count;
            }
        }
    }

    /// <summary>The number of calls that were taken so far, on all connections.</summary>
    public int CallsTaken
    {
        get
        {
            lock (_taken)
            {
                return _taken.Count;
            }
        }
    }

    /// <summary>The greatest number of calls at once on a connection.</summary>
    public int MaxCalls { get; set; } = CallTable.MaxSlots;

    public void Listen()
    {
        _endPoint.Settings = _endPoint.Settings with { MaxCalls = MaxCalls };
        _endPoint.Listen();
        _accepting = AcceptAsync();
    }

    public Task<FakeServerConnection> AcceptedAsync() =>
        _accepted.Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();

    public SharedMemoryEndPoint EndPoint => _endPoint.EndPoint;

    public HttpMessageInvoker CreateInvoker() =>
        new(SharedMemoryChannel.CreateHandler(_endPoint.EndPoint.ToString(), Options), disposeHandler: true);

    public GrpcChannel CreateChannel(GrpcChannelOptions? options = null) =>
        SharedMemoryChannel.CreateGrpcChannel(_endPoint.EndPoint.ToString(), Options, options);

    /// <summary>Makes a channel that frames its calls by itself, and has its connection.</summary>
    public async Task<SharedMemoryChannel> CreateNativeChannelAsync(GrpcChannelOptions? options = null)
    {
        var channel = SharedMemoryChannel.ForAddress(_endPoint.EndPoint.ToString(), Options, options);
        await channel.ConnectAsync(TestContext.Current.CancellationToken).InTime();
        return channel;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting.InTime();
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _endPoint.DisposeAsync();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (await _endPoint.Listener.AcceptAsync(_stop.Token) is { } connection)
            {
                var accepted = new FakeServerConnection(connection, CallSettings, _handler, Serves, Take);
                lock (_connections)
                {
                    _connections.Add(accepted);
                }

                if (GoesAwayFrom > 0)
                {
                    GoesAwayFrom--;
                    accepted.Calls.GoAway();
                }

                _accepted.Writer.TryWrite(accepted);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static string? AgentOf(List<(string Name, string Value)> headers) =>
        headers.Find(static header => header.Name == "user-agent").Value;

    private static bool IsNative(string? agent) =>
        agent?.StartsWith("grpcshm-dotnet/", StringComparison.Ordinal) == true;

    private void Take(TestCall call)
    {
        lock (_taken)
        {
            _taken.Add(call);
        }
    }

    private string?[] AgentsSince(int before)
    {
        lock (_taken)
        {
            return
            [
                .. _taken.Skip(before)
                    .Where(static call => call.HeadersReceived.IsCompletedSuccessfully)
                    .Select(static call => AgentOf(call.HeadersReceived.Result)),
            ];
        }
    }
}
