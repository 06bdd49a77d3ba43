using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Client.Http2;
using GrpcShm.Client.Native;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client;

/// <summary>
/// A gRPC channel over shared memory that frames its calls by itself: HTTP takes no part in them. Also makes channels
/// of grpc-dotnet over shared memory.
/// </summary>
/// <remarks>
/// A call goes through grpc-dotnet, over the same connections, if it needs what only that has: with credentials, with a
/// retry or hedging policy, with a compressed request or headers of gRPC's own, and while anybody can see what only
/// grpc-dotnet tells of its calls: a logger that keeps its lines of the level Debug, or a listener of its spans,
/// metrics or events. So do the calls to a server that has no direct mode. The caller sees the same either way; the
/// server sees another <c>user-agent</c>.
/// </remarks>
public sealed partial class SharedMemoryChannel : ChannelBase, IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly NativeChannel? _native;
    private readonly CallInvoker _invoker;
    private volatile bool _isDisposed;

    private SharedMemoryChannel(GrpcChannel channel, NativeChannel? native, Http2Route? route)
        : base(channel.Target)
    {
        _route = route;
        _channel = channel;
        _native = native;
        _invoker = native is null ? channel.CreateCallInvoker() : new NativeInvoker(native);
    }

    /// <summary>
    /// Makes a channel to the server that listens on a shared-memory endpoint. It frames its calls by itself.
    /// </summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <returns>
    /// A channel for generated clients. It connects with its first call, again after a loss, and closes its connections
    /// when it is disposed.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public static SharedMemoryChannel ForAddress(string address) =>
        ForAddress(address, new SharedMemoryClientOptions());

    /// <summary>
    /// Makes a channel to the server that listens on a shared-memory endpoint. It frames its calls by itself.
    /// </summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <param name="options">
    /// How to connect. With <see cref="SharedMemoryMode.Http2"/> the channel frames no calls.
    /// </param>
    /// <param name="channelOptions">
    /// The options of grpc-dotnet, which count for all calls. Their <see cref="GrpcChannelOptions.HttpHandler"/> and
    /// <see cref="GrpcChannelOptions.HttpClient"/> have to be unset, since this method makes the handler.
    /// </param>
    /// <returns>A channel for generated clients.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="address"/> is none of these, or the options contradict each other, or
    /// <paramref name="channelOptions"/> has a handler of its own.
    /// </exception>
    public static SharedMemoryChannel ForAddress(
        string address, SharedMemoryClientOptions options, GrpcChannelOptions? channelOptions = null)
    {
        channelOptions ??= new GrpcChannelOptions();
        var channel = CreateGrpcChannel(address, options, channelOptions, out var handler);
        var isSecure = IsSecure(address);
        NativeChannel? native = null;
        if (handler is DirectHandler direct && !isSecure)
        {
            var invoker = channel.CreateCallInvoker();
            native = new NativeChannel(
                direct.Connections, () => invoker, AddressOf(new SharedMemoryEndPoint(address)), channelOptions);
        }

        return new SharedMemoryChannel(channel, native, isSecure ? null : (handler as Http2Handler)?.Route);
    }

    /// <summary>
    /// Makes a channel of grpc-dotnet, for code that needs a <see cref="GrpcChannel"/>. All its calls go through
    /// grpc-dotnet, which takes longer than a channel of <see cref="ForAddress(string)"/>.
    /// </summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <returns>
    /// A channel like any other. It connects with its first call, again after a loss, and closes its connections when
    /// it is disposed.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public static GrpcChannel CreateGrpcChannel(string address) =>
        CreateGrpcChannel(address, new SharedMemoryClientOptions());

    /// <summary>
    /// Makes a channel of grpc-dotnet, for code that needs a <see cref="GrpcChannel"/>. All its calls go through
    /// grpc-dotnet, which takes longer than a channel of <see cref="ForAddress(string)"/>.
    /// </summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <param name="options">How to connect.</param>
    /// <param name="channelOptions">
    /// The channel's own options. Their <see cref="GrpcChannelOptions.HttpHandler"/> and
    /// <see cref="GrpcChannelOptions.HttpClient"/> have to be unset, since this method makes the handler.
    /// </param>
    /// <returns>A channel like any other.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="address"/> is none of these, or the options contradict each other, or
    /// <paramref name="channelOptions"/> has a handler of its own.
    /// </exception>
    public static GrpcChannel CreateGrpcChannel(
        string address, SharedMemoryClientOptions options, GrpcChannelOptions? channelOptions = null) =>
        CreateGrpcChannel(address, options, channelOptions ?? new GrpcChannelOptions(), out _);

    /// <summary>Makes a handler for a channel or an <see cref="HttpClient"/> that the caller makes.</summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <param name="options">How to connect.</param>
    /// <returns>A handler, which owns its connections. It sends requests for any host to the endpoint.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="address"/> is none of these, or the options contradict each other.
    /// </exception>
    public static HttpMessageHandler CreateHandler(string address, SharedMemoryClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return CreateHandler(address, options, loggerFactory: null, meterFactory: null);
    }

    /// <summary>What the calls have in common that the channel frames by itself; nothing if it frames none.</summary>
    internal NativeChannel? Native => _native;

    /// <summary>Makes an invoker for a generated client.</summary>
    public override CallInvoker CreateCallInvoker() => _invoker;

    /// <summary>Ends the calls of the channel, and closes its connections.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        FindConnectivity()?.ShutDown();
        try
        {
            _native?.Dispose();
        }
        finally
        {
            _channel.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <summary>
    /// The address of requests to an endpoint. Its host is not looked up, but the server sees it, and logs, traces and
    /// metrics of both sides name it: it is the endpoint's name, or the name of its file without the ending. If no URI
    /// can have that name as its host, as a name of digits, the host is <c>localhost</c>.
    /// </summary>
    /// <param name="endPoint">The endpoint.</param>
    /// <param name="isSecure">True for requests with TLS.</param>
    internal static Uri AddressOf(SharedMemoryEndPoint endPoint, bool isSecure = false)
    {
        var scheme = isSecure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var name = endPoint.IsPath ? Path.GetFileNameWithoutExtension(endPoint.Name) : endPoint.Name;
        return GrpcRequestRules.IsAuthority(name)
            && Uri.TryCreate($"{scheme}://{name}", UriKind.Absolute, out var address)
            && address.Authority.Equals(name, StringComparison.OrdinalIgnoreCase)
            ? address
            : new Uri($"{scheme}://localhost");
    }

    /// <summary>True if an address names its endpoint with <c>https</c>: its requests have TLS.</summary>
    internal static bool IsSecure(string address) =>
        address.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Makes the handler that carries the calls of one channel, or of one named client.</summary>
    internal static HttpMessageHandler CreateHandler(
        string address, SharedMemoryClientOptions options, ILoggerFactory? loggerFactory, IMeterFactory? meterFactory)
    {
        options.Check();
        var connectivity = new ChannelConnectivity();
        var factory = new SharedMemoryConnectionFactory(address, options, loggerFactory, meterFactory);
        if (options.Mode == SharedMemoryMode.Http2)
        {
            return new Http2Handler(new Http2Route(factory, options, connectivity));
        }

        var isPinned = options.Mode == SharedMemoryMode.Direct;
        var http2 = isPinned ? null : new Http2Route(factory, options, connectivity);
        var connections = new ClientConnections(
            factory.CreateConnector(isPinned ? ConnectionModes.Calls : ConnectionModes.Calls | ConnectionModes.Bytes),
            http2,
            new HttpCallFailures(),
            options,
            new ClientDiagnostics(factory.MeterFactory, AddressOf(factory.EndPoint)),
            connectivity);

        // Requests of other kinds have connections of their own, which say nothing of the channel's.
        var plain = isPinned
            ? null
            : new PlainRequests(() => new Http2Route(factory, options, new ChannelConnectivity()));
        return new DirectHandler(connections, http2, plain);
    }

    private static GrpcChannel CreateGrpcChannel(
        string address,
        SharedMemoryClientOptions options,
        GrpcChannelOptions channelOptions,
        out HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (channelOptions.HttpHandler is not null || channelOptions.HttpClient is not null)
        {
            throw new ArgumentException(
                "The channel options have an HTTP handler or client of their own. Leave them unset here. To use your "
                + "own handler, set its ConnectCallback to SharedMemoryConnectionFactory.ConnectAsync and make the "
                + "channel with GrpcChannel.ForAddress.",
                nameof(channelOptions));
        }

        handler = CreateHandler(address, options, channelOptions.LoggerFactory, meterFactory: null);
        var disposeHttpClient = channelOptions.DisposeHttpClient;
        try
        {
            channelOptions.HttpHandler = handler;
            channelOptions.DisposeHttpClient = true;
            return GrpcChannel.ForAddress(
                AddressOf(new SharedMemoryEndPoint(address), IsSecure(address)), channelOptions);
        }
        finally
        {
            // The caller may use the options for another channel.
            channelOptions.HttpHandler = null;
            channelOptions.DisposeHttpClient = disposeHttpClient;
        }
    }
}
