using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>Headers and trailers without a value: both sides see them as over Kestrel's own sockets.</summary>
public sealed class EmptyHeaderTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("direct")]
    [InlineData("http2")]
    [InlineData("socket")]
    public async Task Metadata_WithoutAValue_ReachesTheServer(string mode)
    {
        await using var host = await Host.StartAsync(mode);

        await host.CallAsync();

        // The third header is there twice, once with a value.
        Assert.Equal(["x-blob-bin: ", "x-flag: ", "x-several: , one"], host.Seen);
    }

    [Fact]
    public async Task Response_HeadersAndTrailersWithoutAValue_AreWhatTheyAreOverASocket()
    {
        await using var socket = await Host.StartAsync("socket");
        await using var direct = await Host.StartAsync("direct");

        Assert.Equal(await socket.CallAsync(), await direct.CallAsync());
    }

    private sealed class Host : IAsyncDisposable
    {
        private static readonly Metadata Headers =
            new() { { "x-flag", "" }, { "x-blob-bin", [] }, { "x-several", "" }, { "x-several", "one" } };

        private GrpcChannel _channel = null!;
        private TestServer _server = null!;

        public List<string> Seen { get; } = [];

        public static async Task<Host> StartAsync(string mode)
        {
            var host = new Host();
            var path = "";
            host._server = await TestServer.StartAsync(builder =>
            {
                path = Path.Combine(builder.Environment.ContentRootPath, "kestrel.sock");
                builder.WebHost.ConfigureKestrel(kestrel =>
                {
                    kestrel.ListenSharedMemory("greeter");
                    kestrel.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http2);
                });
                builder.Services.AddSingleton<IStartupFilter>(new Filter(host.Seen));
            });
            host._channel = mode == "socket"
                ? GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
                {
                    HttpHandler = UnixSocket.CreateHandler(path),
                    DisposeHttpClient = true,
                })
                : SharedMemoryChannel.CreateGrpcChannel("greeter", new SharedMemoryClientOptions
                {
                    RuntimeDirectory = host._server.Directory,
                    ConnectTimeout = TimeLimit.Value,
                    Mode = mode == "direct" ? SharedMemoryMode.Direct : SharedMemoryMode.Http2,
                });
            return host;
        }

        /// <summary>Makes a call.</summary>
        /// <returns>The headers and trailers that the client sees.</returns>
        public async Task<List<string>> CallAsync()
        {
            using var call = new Greeter.GreeterClient(_channel).GreetAsync(
                new Greeting { Name = "Ada" }, Headers, TimeLimit.Deadline, Token);
            var headers = await call.ResponseHeadersAsync;
            await call;
            return [.. Lines("header", headers), .. Lines("trailer", call.GetTrailers())];
        }

        public async ValueTask DisposeAsync()
        {
            _channel.Dispose();
            await _server.DisposeAsync();
        }

        private static IEnumerable<string> Lines(string what, Metadata metadata) =>
            metadata.Where(static entry => entry.Key.StartsWith("x-", StringComparison.Ordinal))
                .Select(static entry => (
                    entry.Key, Value: entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value))
                .Select(entry => $"{what} {entry.Key}: {entry.Value}")
                .Order(StringComparer.Ordinal);
    }

    /// <summary>Notes the headers that arrive, and sends headers of the same kind back.</summary>
    private sealed class Filter(List<string> seen) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, following) =>
            {
                seen.AddRange(context.Request.Headers
                    .Where(static header => header.Key.StartsWith("x-", StringComparison.Ordinal))
                    .Select(static header => $"{header.Key}: {string.Join(", ", header.Value.ToArray())}")
                    .Order(StringComparer.Ordinal));
                context.Response.Headers["x-set"] = "";
                context.Response.Headers["x-set-several"] = new([.. (string[])["", "one", ""]]);
                context.Response.Headers.TryAdd("x-added", "");
                context.Response.Headers.Append("x-appended", "");
                context.Response.AppendTrailer("x-trailer", "");
                context.Response.AppendTrailer("x-trailer-several", new([.. (string[])["", "one"]]));
                return following(context);
            });
            next(app);
        };
    }
}
