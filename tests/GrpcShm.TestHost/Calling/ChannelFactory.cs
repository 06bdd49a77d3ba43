using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;

namespace GrpcShm.TestHost.Calling;

/// <summary>Makes clients for each kind of endpoint, as users make them.</summary>
public static class ChannelFactory
{
    // A busy machine may let a server wait long before it answers. The server waits for its clients equally long.
    internal static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(60);

    /// <summary>Makes a gRPC channel, which owns all that is beneath it.</summary>
    public static TestChannel CreateChannel(EndpointAddress address, ClientSetup setup) =>
        new(setup is { IsNative: true, CertificateFingerprint: null }
            ? CreateNativeChannel(address, setup) : CreateGrpcChannel(address, setup));

    private static SharedMemoryChannel CreateNativeChannel(EndpointAddress address, ClientSetup setup)
    {
        var options = new GrpcChannelOptions();
        setup.ConfigureChannel?.Invoke(options);
        var channel = SharedMemoryChannel.ForAddress(address.ToString(), CreateSharedMemoryOptions(setup), options);

        // The call that has to connect is made by grpc-dotnet, and no test is about that.
        channel.ConnectAsync().Wait(HandshakeTime);
        return channel;
    }

    private static GrpcChannel CreateGrpcChannel(EndpointAddress address, ClientSetup setup)
    {
        var options = new GrpcChannelOptions { DisposeHttpClient = true };
        setup.ConfigureChannel?.Invoke(options);

        // TLS is a matter of HTTP's handler, so it takes the longer way, which is a documented one too.
        if (address.Kind == EndpointKind.SharedMemory && setup.CertificateFingerprint is null)
        {
            return SharedMemoryChannel.CreateGrpcChannel(address.ToString(), CreateSharedMemoryOptions(setup), options);
        }

        options.HttpHandler = CreateHandler(address, setup);
        return GrpcChannel.ForAddress(GetBaseAddress(address, setup), options);
    }

    /// <summary>Makes a client for plain HTTP/2.</summary>
    public static HttpClient CreateHttpClient(EndpointAddress address, ClientSetup setup) =>
        new(CreateHttpHandler(address, setup), disposeHandler: true)
        {
            BaseAddress = GetBaseAddress(address, setup),
            DefaultRequestVersion = System.Net.HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

    /// <summary>Makes a handler for plain HTTP, which takes requests of every version.</summary>
    public static HttpMessageHandler CreateHttpHandler(EndpointAddress address, ClientSetup setup)
    {
        if (address.Kind != EndpointKind.SharedMemory || setup.CertificateFingerprint is not null)
        {
            return CreateHandler(address, setup);
        }

        var options = CreateSharedMemoryOptions(setup);
        if (options.Mode == SharedMemoryMode.Direct)
        {
            // Which carries gRPC alone: what else there is goes beside it.
            options.Mode = SharedMemoryMode.Auto;
            options.ConfigureHandler = setup.ConfigureHandler;
        }

        return SharedMemoryChannel.CreateHandler(address.ToString(), options);
    }

    /// <summary>Makes a connection for bytes of the caller's own.</summary>
    public static async Task<Stream> ConnectAsync(EndpointAddress address, ClientSetup setup)
    {
        // Only a handler can ask for a connection. This handler does it for a request that is never sent.
        var connected = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = CreateHandler(address, setup);
        var connect = handler.ConnectCallback!;
        handler.ConnectCallback = async (context, cancellationToken) =>
        {
            connected.SetResult(await connect(context, cancellationToken));
            throw new OperationCanceledException();
        };
        using var invoker = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, GetBaseAddress(address, setup));
        try
        {
            using var response = await invoker.SendAsync(request, CancellationToken.None);
        }
        catch (Exception) when (connected.Task.IsCompletedSuccessfully)
        {
            // The request has failed, as intended.
        }

        return await connected.Task;
    }

    /// <summary>Makes a handler as users do who have a handler of their own.</summary>
    public static SocketsHttpHandler CreateHandler(EndpointAddress address, ClientSetup setup)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (address.Kind == EndpointKind.UnixSocket)
        {
            handler.ConnectCallback =
                (_, cancellationToken) => ConnectUnixSocketAsync(address.Value, cancellationToken);
        }
        else if (address.Kind == EndpointKind.SharedMemory)
        {
            var factory = new SharedMemoryConnectionFactory(address.ToString(), CreateSharedMemoryOptions(setup));
            handler.ConnectCallback = factory.ConnectAsync;
        }

        if (setup.CertificateFingerprint is { } fingerprint)
        {
            handler.SslOptions.RemoteCertificateValidationCallback =
                (_, certificate, _, _) => HasFingerprint(certificate, fingerprint);
        }

        if (setup.KeepAliveTimeout is { } timeout)
        {
            handler.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
            handler.KeepAlivePingTimeout = timeout;
            handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        }

        setup.ConfigureHandler?.Invoke(handler);
        return handler;
    }

    private static SharedMemoryClientOptions CreateSharedMemoryOptions(ClientSetup setup)
    {
        var options = new SharedMemoryClientOptions
        {
            RuntimeDirectory = setup.RuntimeDirectory,

            // Direct mode has no handler, and refuses the function.
            ConfigureHandler = setup.Mode == SharedMemoryMode.Direct ? null : setup.ConfigureHandler,
            Mode = setup.Mode,
            ConnectTimeout = HandshakeTime,
        };
        if (setup.KeepAliveTimeout is { } timeout)
        {
            options.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
            options.KeepAlivePingTimeout = timeout;
        }

        setup.ConfigureSharedMemory?.Invoke(options);
        return options;
    }

    private static Uri GetBaseAddress(EndpointAddress address, ClientSetup setup)
    {
        var scheme = setup.CertificateFingerprint is null ? "http" : "https";
        return new Uri(
            address.Kind == EndpointKind.Tcp ? $"{scheme}://127.0.0.1:{address.Value}" : $"{scheme}://localhost");
    }

    private static bool HasFingerprint(X509Certificate? certificate, string fingerprint) =>
        certificate?.GetCertHashString(HashAlgorithmName.SHA256) == fingerprint;

    private static async ValueTask<Stream> ConnectUnixSocketAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
