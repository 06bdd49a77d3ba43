using System.CommandLine;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Serving;

namespace GrpcShm.TestHost.Commands;

/// <summary>
/// <c>serve</c>: a gRPC server on any set of endpoints, until standard input says <c>stop</c> or closes.
/// </summary>
internal sealed class ServeCommand : Command
{
    private readonly Option<EndpointAddress[]> _listen = new("--listen")
    {
        Description = "Where to listen: shm:NAME, uds:/PATH or tcp:PORT (0 is any). May be repeated.",
        CustomParser = result => [.. result.Tokens.Select(token => EndpointAddress.Parse(token.Value))],
    };

    private readonly Option<EndpointAddress[]> _listenHttp1 = new("--listen-http1")
    {
        Description = "The same, for HTTP/1.1.",
        CustomParser = result => [.. result.Tokens.Select(token => EndpointAddress.Parse(token.Value))],
    };

    private readonly Option<string> _urls = new("--urls") { Description = "Passed on to the web host as it is." };
    private readonly Option<DispatchChoice> _native =
        new("--native-dispatch") { Description = "Whether calls of direct mode are dispatched natively." };

    private readonly Option<bool> _tls = new("--tls") { Description = "TLS on every --listen endpoint." };
    private readonly Option<string> _runtimeDirectory =
        new("--runtime-directory") { Description = "Where shm: names live." };
    private readonly Option<LogLevel> _logLevel = new("--log-level") { DefaultValueFactory = _ => LogLevel.Warning };
    private readonly Option<TimeSpan?> _pingDelay = new("--keep-alive-ping-delay");
    private readonly Option<TimeSpan?> _pingTimeout = new("--keep-alive-ping-timeout");
    private readonly Option<bool> _watchPings = new("--watch-pings") { Description = "Lets Control.AwaitPings work." };
    private readonly Option<int?> _maxReceive = new("--max-receive-message-size");
    private readonly Option<int?> _maxSend = new("--max-send-message-size");
    private readonly Option<int?> _maxStreams = new("--max-streams-per-connection");
    private readonly Option<int?> _connectionWindow =
        new("--connection-window-size") { Description = "HTTP/2's, in bytes." };
    private readonly Option<string> _compression =
        new("--compression") { Description = "Compresses responses, e.g. gzip." };
    private readonly Option<TimeSpan?> _shutdownTimeout = new("--shutdown-timeout");
    private readonly Option<int?> _maxConnections = new("--max-connections");
    private readonly Option<bool> _faults =
        new("--faults") { Description = "Lets standard input take resources away." };

    private readonly Option<bool> _onDemand =
        new("--on-demand") { Description = "Does not listen before standard input says listen." };

    private readonly Option<TimeSpan?> _waitForName =
        new("--wait-for-name") { Description = "How long another server may keep a name." };

    public ServeCommand()
        : base("serve", "Serves the conformance services.")
    {
        Add(_listen);
        Add(_listenHttp1);
        Add(_urls);
        Add(_tls);
        Add(_native);
        Add(_runtimeDirectory);
        Add(_logLevel);
        Add(_pingDelay);
        Add(_pingTimeout);
        Add(_watchPings);
        Add(_maxReceive);
        Add(_maxSend);
        Add(_maxStreams);
        Add(_connectionWindow);
        Add(_compression);
        Add(_shutdownTimeout);
        Add(_maxConnections);
        Add(_faults);
        Add(_onDemand);
        Add(_waitForName);
        SetAction((result, _) => ServeAsync(Read(result)));
    }

    private static async Task<int> ServeAsync(ServerSetup setup)
    {
        try
        {
            await using (var server = new TestServer(setup))
            {
                StandardInput.Watch(server.Stop, server.Execute);
                await server.RunAsync();
            }

            new HostMessage(HostMessage.Stopped, Environment.ProcessId).Write();
            return 0;
        }
        catch (Exception e)
        {
            HostMessage.FromException(e).Write();
            await Console.Error.WriteLineAsync(e.ToString());
            return 1;
        }
    }

    private ServerSetup Read(ParseResult result) => new()
    {
        Listen = result.GetValue(_listen) ?? [],
        ListenHttp1 = result.GetValue(_listenHttp1) ?? [],
        Urls = result.GetValue(_urls),
        Tls = result.GetValue(_tls),
        NativeDispatch = result.GetValue(_native),
        RuntimeDirectory = result.GetValue(_runtimeDirectory),
        LogLevel = result.GetValue(_logLevel),
        KeepAlivePingDelay = result.GetValue(_pingDelay),
        KeepAlivePingTimeout = result.GetValue(_pingTimeout),
        WatchPings = result.GetValue(_watchPings),
        MaxReceiveMessageSize = result.GetValue(_maxReceive),
        MaxSendMessageSize = result.GetValue(_maxSend),
        MaxStreamsPerConnection = result.GetValue(_maxStreams),
        ConnectionWindowSize = result.GetValue(_connectionWindow),
        Compression = result.GetValue(_compression),
        ShutdownTimeout = result.GetValue(_shutdownTimeout),
        MaxConnections = result.GetValue(_maxConnections),
        Faults = result.GetValue(_faults),
        OnDemand = result.GetValue(_onDemand),
        WaitForName = result.GetValue(_waitForName),
    };
}
