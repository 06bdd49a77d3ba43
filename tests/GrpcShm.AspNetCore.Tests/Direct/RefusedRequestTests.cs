using System.Text;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>
/// Requests that direct mode does not carry, or that the application would see differently than Kestrel shows them:
/// such a request is reset, no code of the application runs, and the connection goes on.
/// </summary>
public sealed class RefusedRequestTests
{
    private const FrameFlags All = FrameFlags.Headers | FrameFlags.End;

    public static TheoryData<string> Paths =>
    [
        "/a%00b", "*", "", "/", "/a", "/a/", "//", "//a", "/a//b", "a/b", "/a/b/", "/a/b?c", "/a/b?", "/a/b#c",
        "/a/%41", "/a/b%2f", "/a/./b",
        "/a/../b", "/public/../private/s.txt", "/a/..", "/./a", "/a/%2e%2e/b", "/a/b c", "/a/b\t", "/a/b\\c", "/a/ü",
        "/a/b;c", "/a/b:c",
        "/a/b@c", "/a/b+c", "/a/b,c", "/a/(b)", "http://localhost/a/b", "/a/\u001b[31m", "/a/b\u007f", "/a/\u202e",
        "localhost:80",
    ];

    public static TheoryData<string> Authorities =>
    [
        "", " ", "a b", "a:b", "a:", ":80", "a:80:80", "[::1", "[]", "[1]", "[::1]x", "[::1]:", "[gg::1]", "a\u001b",
        "a/b", "a?b", "a@b", "ü",
        "a,b", "a\tb", "*", "a%41", "a#b", "a\\b",
    ];

    [Theory]
    [MemberData(nameof(Paths))]
    public Task Path_OtherThanAMethods_IsRefused(string path) =>
        VerifyRefusedAsync(RawFrames.Fields(RawFrames.Request(path)));

    [Theory]
    [MemberData(nameof(Authorities))]
    public Task Authority_ThatKestrelDoesNotTake_IsRefused(string authority) =>
        VerifyRefusedAsync(RawFrames.Fields(With(":authority", authority)));

    [Theory]
    [InlineData(":method", "GET")]
    [InlineData(":method", "post")]
    [InlineData(":method", "POST ")]
    [InlineData(":method", "")]
    [InlineData(":method", "CONNECT")]
    [InlineData(":method", "HEAD")]
    [InlineData(":scheme", "https")]
    [InlineData(":scheme", "HTTP")]
    [InlineData(":scheme", "")]
    [InlineData("content-type", "application/json")]
    [InlineData("content-type", "application/grpc-web")]
    [InlineData("content-type", "application/grpcx")]
    [InlineData("content-type", "application/grp")]
    [InlineData("content-type", "")]
    [InlineData("te", "gzip")]
    [InlineData("te", "trailers, deflate")]
    [InlineData("te", "")]
    public Task Field_WithAnotherValue_IsRefused(string name, string value) =>
        VerifyRefusedAsync(RawFrames.Fields(With(name, value)));

    [Theory]
    [InlineData(":method")]
    [InlineData(":scheme")]
    [InlineData(":path")]
    [InlineData(":authority")]
    [InlineData("content-type")]
    [InlineData("te")]
    public async Task Field_ThatIsMissingOrTwiceThere_IsRefused(string name)
    {
        var request = RawFrames.Request("/a.B/C");
        await VerifyRefusedAsync(RawFrames.Fields([.. request.Where(field => field.Name != name)]));
        await VerifyRefusedAsync(RawFrames.Fields([request.Single(field => field.Name == name), .. request]));
        await VerifyRefusedAsync(RawFrames.Fields([.. request, request.Single(field => field.Name == name)]));
        if (name[0] == ':')
        {
            // A pseudo field behind a regular one.
            await VerifyRefusedAsync(RawFrames.Fields(
                [.. request.Where(field => field.Name != name), request.Single(field => field.Name == name)]));
            return;
        }

        // The name is spelled out and not given by its number.
        var (_, value) = request.Single(field => field.Name == name);
        await VerifyRefusedAsync(
            [.. RawFrames.Fields(request), .. RawFrames.Field(name, Encoding.UTF8.GetBytes(value), isSpelled: true)]);
    }

    [Theory]
    [InlineData(":status", "200")]
    [InlineData(":protocol", "websocket")]
    [InlineData(":path", "/x/y")]
    [InlineData(":unknown", "x")]
    [InlineData("connection", "close")]
    [InlineData("keep-alive", "timeout=5")]
    [InlineData("proxy-connection", "close")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("upgrade", "websocket")]
    [InlineData("host", "other")]
    [InlineData("host", "localhost")]
    [InlineData("Host", "localhost")]
    [InlineData("X-Upper", "x")]
    [InlineData("x y", "x")]
    [InlineData("x:y", "x")]
    [InlineData("", "x")]
    [InlineData("ü", "x")]
    [InlineData("x", "a\nb")]
    [InlineData("x", "a\rb")]
    [InlineData("x", "a\0b")]
    [InlineData("content-length", "-1")]
    [InlineData("content-length", "+1")]
    [InlineData("content-length", "01")]
    [InlineData("content-length", "1 ")]
    [InlineData("content-length", "1,1")]
    [InlineData("content-length", "x")]
    [InlineData("content-length", "")]
    [InlineData("content-length", "99999999999999999999")]
    public Task Field_ThatMayNotBeThere_IsRefused(string name, string value) =>
        VerifyRefusedAsync(
        [
            .. RawFrames.Fields(RawFrames.Request("/a.B/C")),
            .. RawFrames.Field(name, Encoding.UTF8.GetBytes(value), isSpelled: true),
        ]);

    [Fact]
    public async Task Value_ThatIsNoUtf8_IsRefused()
    {
        await VerifyRefusedAsync(
            [.. RawFrames.Fields(RawFrames.Request("/a.B/C")), .. RawFrames.Field("x", [0xc3, 0x28], isSpelled: true)]);
        await VerifyRefusedAsync(
            [.. RawFrames.Fields(RawFrames.Request("/a.B/C")), .. RawFrames.Field("x", [0xc0, 0x80], isSpelled: true)]);
    }

    [Fact]
    public async Task ContentLength_TwiceThere_IsRefused() =>
        await VerifyRefusedAsync(
            RawFrames.Fields(RawFrames.Request("/a.B/C", ("content-length", "0"), ("content-length", "0"))));

    [Fact]
    public async Task Path_LongerThanARequestLine_IsRefused() =>
        await VerifyRefusedAsync(RawFrames.Fields(RawFrames.Request("/a/" + new string('b', 8192))));

    [Fact]
    public async Task RefusedRequest_StillDefinesItsPairs_AndTheyAreJudgedAnewEachTime()
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        using var client = await RawCalls.ConnectAsync(host);

        // The request is refused at its first field. The fields behind it are read all the same.
        await client.PutAsync(RawFrames.Message(1, All,
        [
            .. RawFrames.Fields((":method", "GET")), .. RawFrames.Definition(20, ":path", "/a.B/C"),
            .. RawFrames.Definition(21, ":path", "/a/../b"),
            .. RawFrames.Definition(22, ":authority", "local host"), .. RawFrames.Definition(23, "user-agent", "a\nb"),
        ]));
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(1));
        var rest = RawFrames.Fields(
            (":method", "POST"), (":scheme", "http"), ("content-type", "application/grpc"), ("te", "trailers"));
        var authority = RawFrames.Fields((":authority", "localhost"));
        for (var i = 0u; i < 3; i++)
        {
            foreach (var bad in new byte[][]
            {
                [.. authority, .. RawFrames.Reference(21), .. rest],
                [.. RawFrames.Reference(22), .. RawFrames.Reference(20), .. rest],
                [.. authority, .. RawFrames.Reference(20), .. rest, .. RawFrames.Reference(23)],
            })
            {
                await client.PutAsync(RawFrames.Message(2, All, bad));
                Assert.Equal(CallError.Protocol, await client.EndOfAsync(2));
            }

            await client.PutAsync(RawFrames.Message(3, All, [.. authority, .. RawFrames.Reference(20), .. rest]));
            Assert.Null(await client.EndOfAsync(3));
        }

        Assert.Equal(["/a.B/C", "/a.B/C", "/a.B/C"], host.Seen);
    }

    [Fact]
    public async Task RefusedRequest_ThatGoesOn_IsDroppedWithinItsRules()
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(
            RawFrames.Message(1, FrameFlags.Headers, RawFrames.Fields((":method", "GET")), data: 100));
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(1));
        for (var i = 0; i < 10; i++)
        {
            await client.PutAsync(RawFrames.Message(1, FrameFlags.None, data: 1000));
        }

        await client.PutAsync(RawFrames.Message(
            1, FrameFlags.Trailers | FrameFlags.End, trailers: RawFrames.Definition(30, "user-agent", "a")));
        await client.VerifyServedAsync(0x10001);
        Assert.Equal(["/good.Service/Call"], host.Seen);
    }

    [Theory]
    [InlineData(5, 4)]
    [InlineData(5, 6)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task Body_OfAnotherLengthThanDeclared_ResetsTheCall(int declared, int sent)
    {
        await using var host = await DirectHost.StartAsync(
            static context => context.Request.Body.CopyToAsync(Stream.Null));
        using var client = await RawCalls.ConnectAsync(host);
        byte[] block = RawFrames.Fields(RawFrames.Request("/a.B/C", ("content-length", $"{declared}")));

        // The wrong data comes at once: no handler sees the call.
        await client.PutAsync(RawFrames.Message(1, All, block, data: sent));
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(1));
        Assert.Empty(host.Seen);

        // The wrong data comes later: the reader does not come to the end of the body.
        await client.PutAsync(RawFrames.Message(0x10001, FrameFlags.Headers, block));
        await TimeLimit.UntilAsync(() => host.Seen.Count == 1, () => "The handler does not start.");
        await client.PutAsync(RawFrames.Message(0x10001, FrameFlags.End, data: sent));
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(0x10001));
        await client.VerifyServedAsync(0x20001);
    }

    [Theory]
    [InlineData(":path", "/x/y")]
    [InlineData("connection", "close")]
    [InlineData("te", "gzip")]
    [InlineData("x", "a\nb")]
    public async Task Trailers_ThatMayNotBeThere_ResetTheCallAndItsBodyDoesNotEnd(string name, string value)
    {
        var failure = new TaskCompletionSource<Exception?>();
        await using var host = await DirectHost.StartAsync(async context =>
        {
            failure.TrySetResult(await Record.ExceptionAsync(
                () => context.Request.Body.CopyToAsync(Stream.Null, CancellationToken.None)));
        });
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers, RawFrames.Fields(RawFrames.Request("/a.B/C"))));
        await TimeLimit.UntilAsync(() => host.Seen.Count == 1, () => "The handler does not start.");
        await client.PutAsync(
            RawFrames.Message(1, FrameFlags.Trailers | FrameFlags.End, trailers: RawFrames.Fields((name, value))));
        Assert.IsAssignableFrom<IOException>(await failure.Task.InTime());
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(1));
        await client.VerifyServedAsync(0x10001);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a.b-c_d~e:8080")]
    [InlineData("[::1]")]
    [InlineData("[fe80::1.2.3.4]:65536")]
    [InlineData("!$&'()")]
    public async Task Request_AsItShouldBe_IsShownAsKestrelShowsIt(string authority)
    {
        var seen = new TaskCompletionSource<string>();
        await using var host = await DirectHost.StartAsync(context =>
        {
            var request = context.Request;
            var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
            seen.SetResult(
                $"{request.Method} {request.Scheme} {request.Host} {request.PathBase} {request.Path} "
                + $"{request.QueryString} {feature.RawTarget} "
                + $"{request.Protocol} {request.IsHttps} {request.ContentLength} | "
                + string.Join(" | ", request.Headers.Select(
                    header => $"{header.Key}: {string.Join(" & ", header.Value.ToArray())}")));
            return Task.CompletedTask;
        });
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(RawFrames.Message(1, All, RawFrames.Fields(
        [
            (":method", "POST"), (":scheme", "http"), (":authority", authority), (":path", "/a.B/C-d_e~f/..."),
            ("x-own", "1"), ("cookie", "a=b"),
            ("grpc-timeout", "1S"), ("te", "trailers"), ("content-type", "application/grpc+proto"), ("x-own", "ä"),
            ("content-length", "0"),
            ("cookie", "c=d"), ("user-agent", "u"), ("traceparent", "t"), ("etag", ""), ("x-own", ""),
            ("accept-encoding", "gzip"),
        ])));
        Assert.Null(await client.EndOfAsync(1));
        Assert.Equal(
            $"POST http {authority}  /a.B/C-d_e~f/...  /a.B/C-d_e~f/... HTTP/2 False 0 | Host: {authority} | "
            + "User-Agent: u | Accept-Encoding: gzip | Content-Type: application/grpc+proto | Cookie: a=b; c=d | "
            + "Grpc-Timeout: 1S | TE: trailers | traceparent: t | Content-Length: 0 | "
            + "x-own: 1 & ä &  | ETag: ",
            await seen.Task.InTime());
    }

    private static (string Name, string Value)[] With(string name, string value) =>
        [.. RawFrames.Request("/a.B/C").Select(field => field.Name == name ? (name, value) : field)];

    private static async Task VerifyRefusedAsync(byte[] block)
    {
        await using var host = await DirectHost.StartAsync(static _ => Task.CompletedTask);
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutBlockAsync(1, block, FrameFlags.Headers, FrameFlags.End);
        Assert.Equal(CallError.Protocol, await client.EndOfAsync(1));
        Assert.Empty(host.Seen);
        await client.VerifyServedAsync(0x10001);
        Assert.Equal(["/good.Service/Call"], host.Seen);
    }
}
