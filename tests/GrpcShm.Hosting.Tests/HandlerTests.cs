using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>A handler for <see cref="HttpClient"/> behaves alike in each mode.</summary>
public sealed class HandlerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A client's mode, and whether the server offers direct mode.</summary>
    public static TheoryData<SharedMemoryMode, bool> Modes => new()
    {
        { SharedMemoryMode.Auto, true },
        { SharedMemoryMode.Auto, false },
        { SharedMemoryMode.Http2, true },
    };

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Version_OfAnEndpointWithHttp2Alone_Is2UnlessItIsExactlyAnother(
        SharedMemoryMode mode, bool offersDirect)
    {
        await using var server = await StartAsync(HttpProtocols.Http2, offersDirect);
        using var client = CreateClient(server, mode);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), await GetAsync(client, null));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version10, HttpVersionPolicy.RequestVersionOrLower)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrHigher)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrHigher)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version20),
            await GetAsync(client, (HttpVersion.Version30, HttpVersionPolicy.RequestVersionOrLower)));

        // This is Kestrel's own answer to HTTP/1.1 if the endpoint speaks HTTP/2 only.
        Assert.Equal(
            (HttpStatusCode.BadRequest, HttpVersion.Version11),
            await GetAsync(client, (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact)));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(client, (HttpVersion.Version30, HttpVersionPolicy.RequestVersionExact)));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Version_OfAnEndpointWithHttp1Alone_Is1UnlessItIsExactlyAnother(
        SharedMemoryMode mode, bool offersDirect)
    {
        await using var server = await StartAsync(HttpProtocols.Http1, offersDirect);
        using var client = CreateClient(server, mode);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version11), await GetAsync(client, null));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version11),
            await GetAsync(client, (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version11),
            await GetAsync(client, (HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrHigher)));
        Assert.Equal(
            (HttpStatusCode.OK, HttpVersion.Version11),
            await GetAsync(client, (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower)));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(client, (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact)));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Version_OfManyRequestsThatBeginAtOnce_IsTheSameForAll(SharedMemoryMode mode, bool offersDirect)
    {
        await using var server = await StartAsync(HttpProtocols.Http2, offersDirect);
        using var client = CreateClient(server, mode);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => GetAsync(client, null)));

        Assert.All(answers, static answer => Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), answer));
    }

    [Theory]
    [InlineData(SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Get_WithoutAServer_FailsAsConnectingDoes(SharedMemoryMode mode)
    {
        var directory = Path.Join(Path.GetTempPath(), Path.GetRandomFileName());
        using var handler = SharedMemoryChannel.CreateHandler(
            "nobody", new SharedMemoryClientOptions { RuntimeDirectory = directory, Mode = mode });
        using var client = new HttpClient(handler, disposeHandler: false) { BaseAddress = new Uri("http://localhost") };

        var exception = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(client, null));

        Assert.Equal(HttpRequestError.ConnectionError, exception.HttpRequestError);
        Assert.Contains(directory, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task RedirectsCookiesAndCompression_ByDefault_AreTheCallers(SharedMemoryMode mode, bool offersDirect)
    {
        await using var server = await StartAsync(HttpProtocols.Http2, offersDirect);
        using var client = CreateClient(server, mode);

        using var moved = await client.GetAsync(At("/moved"), Token).WaitAsync(TimeLimit.Value, Token);
        Assert.Equal(
            (HttpStatusCode.Redirect, "/report/moved"), (moved.StatusCode, moved.Headers.Location!.OriginalString));

        Assert.Equal("none", await client.GetStringAsync(At("/cookie"), Token).WaitAsync(TimeLimit.Value, Token));
        Assert.Equal("none", await client.GetStringAsync(At("/cookie"), Token).WaitAsync(TimeLimit.Value, Token));

        using var zipped = await client.GetAsync(At("/zipped"), Token).WaitAsync(TimeLimit.Value, Token);
        Assert.Equal([""], zipped.Headers.GetValues("x-accepted"));
        Assert.Equal(["gzip"], zipped.Content.Headers.ContentEncoding);
        Assert.NotEqual(
            "zipped"u8.ToArray(), await zipped.Content.ReadAsByteArrayAsync(Token).WaitAsync(TimeLimit.Value, Token));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task RedirectsCookiesAndCompression_TurnedOn_AreTheHandlers(SharedMemoryMode mode, bool offersDirect)
    {
        await using var server = await StartAsync(HttpProtocols.Http2, offersDirect);
        using var client = CreateClient(server, mode, static handler =>
        {
            handler.AllowAutoRedirect = true;
            handler.UseCookies = true;
            handler.AutomaticDecompression = DecompressionMethods.All;
        });

        Assert.Equal(
            "GET /report/moved  HTTP/2 ",
            await client.GetStringAsync(At("/moved"), Token).WaitAsync(TimeLimit.Value, Token));

        Assert.Equal("none", await client.GetStringAsync(At("/cookie"), Token).WaitAsync(TimeLimit.Value, Token));
        Assert.Equal("crumbs", await client.GetStringAsync(At("/cookie"), Token).WaitAsync(TimeLimit.Value, Token));

        using var zipped = await client.GetAsync(At("/zipped"), Token).WaitAsync(TimeLimit.Value, Token);
        Assert.Contains("gzip", string.Join(',', zipped.Headers.GetValues("x-accepted")), StringComparison.Ordinal);
        Assert.Equal("zipped", await zipped.Content.ReadAsStringAsync(Token).WaitAsync(TimeLimit.Value, Token));
    }

    [Theory]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http2, "ws", 2, HttpVersionPolicy.RequestVersionExact)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http2, "ws", 2, HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http1, "ws", 1, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http1, "ws", 2, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http2, "wss", 2, HttpVersionPolicy.RequestVersionExact)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http1AndHttp2, "wss", 1, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http1AndHttp2, "wss", 2, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http2, "ws", 2, HttpVersionPolicy.RequestVersionExact)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http2, "ws", 2, HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http1, "ws", 1, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http1, "ws", 2, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http2, "wss", 2, HttpVersionPolicy.RequestVersionExact)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http1AndHttp2, "wss", 1, HttpVersionPolicy.RequestVersionOrLower)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http1AndHttp2, "wss", 2, HttpVersionPolicy.RequestVersionOrLower)]
    public async Task WebSocket_OfEachSchemeAndVersion_Echoes(
        SharedMemoryMode mode, HttpProtocols protocols, string scheme, int major, HttpVersionPolicy policy)
    {
        using var certificate = scheme == "wss" ? CreateCertificate() : null;
        await using var server = await StartAsync(protocols, offersDirect: true, certificate);
        using var handler = CreateHandler(
            server, mode, http => http.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown?.GetCertHashString() == certificate?.GetCertHashString());
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = new Version(major, major == 1 ? 1 : 0);
        socket.Options.HttpVersionPolicy = policy;

        await socket.ConnectAsync(new Uri($"{scheme}://localhost/socket"), invoker, Token)
            .WaitAsync(TimeLimit.Value, Token);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token)
            .WaitAsync(TimeLimit.Value, Token);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, Token).WaitAsync(TimeLimit.Value, Token);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token).WaitAsync(TimeLimit.Value, Token);

        Assert.Equal("hello"u8.ToArray(), buffer.AsSpan(0, received.Count).ToArray());
    }

    private static Uri At(string path) => new(path, UriKind.Relative);

    private static async Task<(HttpStatusCode Status, Version Version)> GetAsync(
        HttpClient client, (Version Version, HttpVersionPolicy Policy)? asked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At("/one"));
        if (asked is var (version, policy))
        {
            request.Version = version;
            request.VersionPolicy = policy;
        }

        var before = (request.Version, request.VersionPolicy);
        try
        {
            using var response = await client.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
            return (response.StatusCode, response.Version);
        }
        finally
        {
            // Its owner disposes of it.
            Assert.Equal(before, (request.Version, request.VersionPolicy));
        }
    }

    private static HttpClient CreateClient(
        TestServer server, SharedMemoryMode mode, Action<SocketsHttpHandler>? configure = null) =>
        new(CreateHandler(server, mode, configure))
        {
            BaseAddress = new Uri("http://localhost"),
            Timeout = TimeLimit.Value,
        };

    private static HttpMessageHandler CreateHandler(
        TestServer server, SharedMemoryMode mode, Action<SocketsHttpHandler>? configure) =>
        SharedMemoryChannel.CreateHandler("greeter", new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory,
            ConnectTimeout = TimeLimit.Value,
            Mode = mode,
            ConfigureHandler = configure,
        });

    private static Task<TestServer> StartAsync(
        HttpProtocols protocols, bool offersDirect, X509Certificate2? certificate = null) =>
        TestServer.StartAsync(builder =>
        {
            builder.WebHost.UseSharedMemory(options =>
                options.Mode = offersDirect ? SharedMemoryMode.Auto : SharedMemoryMode.Http2);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("greeter", listen =>
            {
                listen.Protocols = protocols;
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            }));
            builder.Services.AddSingleton<IStartupFilter>(new PlainApplication());
        });

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
    }
}
