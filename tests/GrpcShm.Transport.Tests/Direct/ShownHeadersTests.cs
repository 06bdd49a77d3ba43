using System.Net;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Tests.Calls;
using Microsoft.Net.Http.Headers;
using static Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols;

namespace GrpcShm.Transport.Tests.Direct;

/// <summary>The names of headers, their spelling and their order, side by side with Kestrel's HTTP/2 over a socket.</summary>
public sealed class ShownHeadersTests
{
    [Fact]
    public async Task Names_AllThatThereAre_AreShownAsKestrelShowsThem()
    {
        var shown = new Queue<string[]>();
        var socket = Path.Join(Path.GetTempPath(), $"grpcshm-{Guid.NewGuid():N}.sock");
        await using var host = await DirectHost.StartAsync(
            context =>
            {
                lock (shown)
                {
                    shown.Enqueue([.. context.Request.Headers.Select(header => header.Key)]);
                }

                return Task.CompletedTask;
            },
            kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = Http2));
        var names = Names();

        using var client = await RawCalls.ConnectAsync(host);
        await client.PutBlockAsync(
            1,
            RawFrames.Fields([.. RawFrames.Request("/a.B/C"), .. names.Select(name => (name, name == "content-length" ? "0" : "v"))]),
            FrameFlags.Headers,
            FrameFlags.End);
        Assert.Null(await client.EndOfAsync(1));
        await SendOverHttp2Async(socket, names);

        var direct = shown.Dequeue();
        Assert.True(direct.Length > 70);
        Assert.Equal(shown.Dequeue(), direct);
    }

    private static string[] Names() =>
    [
        .. typeof(HeaderNames).GetFields().Select(field => (string)field.GetValue(null)!)
            .Concat(Enumerable.Range(5, GrpcShm.Transport.Calls.HeaderNames.Count - 5).Select(GrpcShm.Transport.Calls.HeaderNames.NameOf))
            .Concat(["x-own", "x-forwarded-for", "baggage", "zzz", "aaa"])
            .Select(name => name.ToLowerInvariant())
            .Distinct()
            .Where(name => !name.StartsWith(':') && name is not ("te" or "content-type")
                && !RequestHeaderNames.Find(GrpcShm.Transport.Calls.HeaderNames.NumberOf(name), name).IsForbidden)
            .OrderByDescending(name => name, StringComparer.Ordinal),
    ];

    private static async Task SendOverHttp2Async(string path, string[] names)
    {
        using var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new System.Net.Sockets.Socket(
                    System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                await socket.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(path), cancellation);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        };
        using var invoker = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("http://localhost/a.B/C"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([]),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach (var name in names.Where(name => name != "content-length"))
        {
            Assert.True(
                request.Headers.TryAddWithoutValidation(name, "v") || request.Content.Headers.TryAddWithoutValidation(name, "v"), name);
        }

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken).InTime();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
