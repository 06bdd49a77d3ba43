using System.Diagnostics.Metrics;
using Grpc.Net.Client;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Client.Http2;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client;

/// <summary>Makes gRPC channels over shared memory.</summary>
public static class SharedMemoryChannel
{
    /// <summary>Makes a channel to the server that listens on a shared-memory endpoint.</summary>
    /// <param name="address">
    /// The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>, or as a server logs it,
    /// <c>http://shm:/name</c>.
    /// </param>
    /// <returns>
    /// A channel like any other. It connects with its first call, again after a loss, and closes its connections when
    /// it is disposed.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new SharedMemoryClientOptions());

    /// <summary>Makes a channel to the server that listens on a shared-memory endpoint.</summary>
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
    public static GrpcChannel ForAddress(
        string address, SharedMemoryClientOptions options, GrpcChannelOptions? channelOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        channelOptions ??= new GrpcChannelOptions();
        if (channelOptions.HttpHandler is not null || channelOptions.HttpClient is not null)
        {
            throw new ArgumentException(
                "The channel options have an HTTP handler or client of their own. Leave them unset here. To use your "
                + "own handler, set its ConnectCallback to SharedMemoryConnectionFactory.ConnectAsync and make the "
                + "channel with GrpcChannel.ForAddress.",
                nameof(channelOptions));
        }

        var handler = CreateHandler(address, options, channelOptions.LoggerFactory, meterFactory: null);
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
        var factory = new SharedMemoryConnectionFactory(address, options, loggerFactory, meterFactory);
        if (options.Mode == SharedMemoryMode.Http2)
        {
            return new Http2Handler(new Http2Route(factory, options));
        }

        var isPinned = options.Mode == SharedMemoryMode.Direct;
        var http2 = isPinned ? null : new Http2Route(factory, options);
        var connections = new ClientConnections(
            factory.CreateConnector(isPinned ? ConnectionModes.Calls : ConnectionModes.Calls | ConnectionModes.Bytes),
            http2,
            new ClientCallPool(static call => new HttpExchange(call)),
            new HttpCallFailures(),
            options,
            new ClientDiagnostics(factory.MeterFactory, AddressOf(factory.EndPoint)));
        return new DirectHandler(
            connections, http2, isPinned ? null : new PlainRequests(() => new Http2Route(factory, options)));
    }
}
