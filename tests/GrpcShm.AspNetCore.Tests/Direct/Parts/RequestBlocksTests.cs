using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>What blocks of a request may have in them, and what the application is shown of it.</summary>
public sealed class RequestBlocksTests : IAsyncLifetime
{
    private readonly ReceivedPairs _pairs = new();
    private CallUnderTest _under = null!;
    private RequestBlocks _blocks = null!;

    private ServerRequest Request => _under.Call.Request;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _blocks = new RequestBlocks(_under.Call, Request);
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public void ReadHeaders_OfARequest_AreShownToTheApplication()
    {
        ReadHeaders(RawFrames.Request("/a.B/C", ("x-own", "1"), ("content-length", "5"), ("user-agent", "me")));

        Assert.Equal(("POST", "/a.B/C"), (Request.Method, Request.Path));
        IHttpRequestFeature feature = Request;
        Assert.Equal(("http", "/a.B/C"), (feature.Scheme, feature.RawTarget));
        Assert.Equal(
            ["Host", "User-Agent", "Content-Type", "TE", "Content-Length", "x-own"], Request.Headers.Keys);
        Assert.Equal("localhost", Request.Headers["Host"]);
        Assert.Equal(5, _blocks.ContentLength);
    }

    [Theory]
    [InlineData(":method", "Method")]
    [InlineData(":scheme", "Scheme")]
    [InlineData(":path", "Path")]
    [InlineData(":authority", "Authority")]
    [InlineData("content-type", "ContentType")]
    [InlineData("te", "Te")]
    public void ReadHeaders_OneIsMissing_NamesIt(string name, string named)
    {
        var fields = RawFrames.Request("/a.B/C").Where(f => f.Name != name).ToArray();

        Assert.EndsWith($": {named}.", Refuse(fields).Message, StringComparison.Ordinal);
        Assert.Empty(Request.Headers);
        Assert.Equal("", Request.Method);
    }

    [Theory]
    [InlineData(":method", "GET")]
    [InlineData(":scheme", "https")]
    [InlineData(":path", "/a.B/C?query")]
    [InlineData(":path", "/a.B/../C")]
    [InlineData(":authority", "user@host")]
    [InlineData("content-type", "text/plain")]
    [InlineData("te", "gzip")]
    public void ReadHeaders_OneIsNotOfGrpc_NamesIt(string name, string value)
    {
        var fields = RawFrames.Request("/a.B/C").Select(f => f.Name == name ? (name, value) : f).ToArray();

        Assert.Contains($"'{name}: {value}'", Refuse(fields).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(":method", "POST")]
    [InlineData(":path", "/a.B/C")]
    [InlineData("content-type", "application/grpc")]
    [InlineData("te", "trailers")]
    public void ReadHeaders_OneIsThereTwice_IsRefused(string name, string value) =>
        Assert.Contains(
            $"'{name}'", Refuse(RawFrames.Request("/a.B/C", (name, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void ReadHeaders_PseudoFieldBehindARegularOne_IsRefused()
    {
        var fields = RawFrames.Request("/a.B/C");
        (fields[3], fields[4]) = (fields[4], fields[3]);

        Assert.Contains("':authority'", Refuse(fields).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(":status", "200")]
    [InlineData("connection", "close")]
    [InlineData("host", "other")]
    [InlineData("transfer-encoding", "chunked")]
    public void ReadHeaders_OneThatIsNotForACall_IsRefused(string name, string value) =>
        Assert.Equal(CallError.Protocol, Refuse(RawFrames.Request("/a.B/C", (name, value))).Error);

    [Theory]
    [InlineData("007")]
    [InlineData("+7")]
    [InlineData("-1")]
    [InlineData("seven")]
    [InlineData("99999999999999999999")]
    public void ReadHeaders_ContentLengthThatIsNone_IsRefused(string value)
    {
        Refuse(RawFrames.Request("/a.B/C", ("content-length", value)));
        Assert.Null(_blocks.ContentLength);
    }

    [Fact]
    public void ReadHeaders_ContentLengthTwice_IsRefused() =>
        Refuse(RawFrames.Request("/a.B/C", ("content-length", "1"), ("content-length", "1")));

    [Fact]
    public void ReadHeaders_LineOfTheMostBytes_IsTakenAndOfOneMoreIsRefused()
    {
        // "POST", "http" and "localhost" count, too.
        var length = _under.Kestrel.Limits.MaxRequestLineSize - 17;
        var path = "/a/" + new string('b', length - 3);

        ReadHeaders(RawFrames.Request(path));
        Assert.Equal(path, Request.Path);

        Assert.Contains("MaxRequestLineSize", Refuse(RawFrames.Request(path + "b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadHeaders_PathByItsNumber_IsLookedAtOnce()
    {
        var rest = RawFrames.Fields([.. RawFrames.Request("/").Where(static f => f.Name != ":path")]);
        Read([.. RawFrames.Definition(HeaderNames.FirstFreePair, ":path", "/a.B/C"), .. rest]);
        var target = Assert.IsType<CallTarget>(_pairs.Get(HeaderNames.FirstFreePair).Tag);
        Read([.. RawFrames.Reference(HeaderNames.FirstFreePair), .. rest]);

        Assert.Same(target, _pairs.Get(HeaderNames.FirstFreePair).Tag);
        Assert.Equal("/a.B/C", Request.Path);
        Assert.Same(target.Profile, _under.Call.CallStream.Profile);
    }

    [Fact]
    public void CheckHeaders_MoreThanTheServerTakes_SaysWhichLimit()
    {
        ReadHeaders(RawFrames.Request("/a.B/C", ("x-own", "1")));
        _blocks.CheckHeaders();

        _under.Kestrel.Limits.MaxRequestHeaderCount = 6;
        VerifyTooLarge("MaxRequestHeaderCount");
        _under.Kestrel.Limits.MaxRequestHeaderCount = 7;
        _blocks.CheckHeaders();
        _under.Kestrel.Limits.MaxRequestHeadersTotalSize = 50;
        VerifyTooLarge("MaxRequestHeadersTotalSize");
    }

    [Fact]
    public void ReadTrailers_OfARequest_AreShownAsTheyCame()
    {
        ReadTrailers(("x-b", "1"), ("user-agent", "me"), ("x-b", "2"));

        Assert.Equal(["x-b", "user-agent"], Request.Trailers.Keys);
        Assert.Equal(["1", "2"], Request.Trailers["x-b"].ToArray());
    }

    [Theory]
    [InlineData(":path", "/a.B/C")]
    [InlineData(":status", "200")]
    [InlineData("connection", "close")]
    [InlineData("te", "gzip")]
    public void ReadTrailers_OneThatMayNotBeThere_IsRefusedByItsName(string name, string value)
    {
        var refused = Assert.Throws<MalformedCallException>(() => ReadTrailers((name, value)));

        Assert.Contains($"'{name}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadTrailers_TooManyWithTheHeaders_AreRefused()
    {
        ReadHeaders(RawFrames.Request("/a.B/C"));
        _under.Kestrel.Limits.MaxRequestHeaderCount = 7;

        ReadTrailers(("x-1", "1"));
        var refused = Assert.Throws<MalformedCallException>(() => ReadTrailers(("x-1", "1"), ("x-2", "2")));

        Assert.Equal(CallError.TooMuch, refused.Error);
    }

    [Theory]
    [InlineData(6, false)]
    [InlineData(6, true)]
    [InlineData(4, true)]
    public void CountData_OtherThanTheLength_IsRefused(int count, bool hasEnded)
    {
        ReadHeaders(RawFrames.Request("/a.B/C", ("content-length", "5")));

        Assert.Throws<MalformedCallException>(() => _blocks.CountData(count, hasEnded));
    }

    [Fact]
    public void CountData_ToTheLength_EndsTheBody()
    {
        IHttpRequestTrailersFeature trailers = Request;
        ReadHeaders(RawFrames.Request("/a.B/C", ("content-length", "5")));

        _blocks.CountData(2, hasEnded: false);
        Assert.False(trailers.Available);
        _blocks.CountData(3, hasEnded: true);

        Assert.True(trailers.Available);
        Assert.True(Request.CanHaveBody);
    }

    [Fact]
    public void CountData_EndWithTheHeaders_LeavesNoBody()
    {
        ReadHeaders(RawFrames.Request("/a.B/C"));

        _blocks.CountData(0, hasEnded: true);

        Assert.False(Request.CanHaveBody);
    }

    [Fact]
    public void Reuse_CountedBefore_CountsAnew()
    {
        ReadHeaders(RawFrames.Request("/a.B/C", ("content-length", "5")));
        _blocks.CountData(5, hasEnded: false);
        _under.Kestrel.Limits.MaxRequestHeaderCount = 6;

        _blocks.Reuse();

        Assert.Null(_blocks.ContentLength);
        _blocks.CheckHeaders();
        Request.Headers.Clear();
        ReadHeaders(RawFrames.Request("/a.B/C"));
        _blocks.CountData(7, hasEnded: true);
    }

    private void VerifyTooLarge(string limit)
    {
        var refused = Assert.Throws<BadHttpRequestException>(_blocks.CheckHeaders);
        Assert.Equal(StatusCodes.Status431RequestHeaderFieldsTooLarge, refused.StatusCode);
        Assert.Contains(limit, refused.Message, StringComparison.Ordinal);
    }

    private MalformedCallException Refuse((string Name, string Value)[] fields) =>
        Assert.Throws<MalformedCallException>(() => ReadHeaders(fields));

    private void ReadHeaders((string Name, string Value)[] fields) => Read(RawFrames.Fields(fields));

    private void Read(byte[] block)
    {
        var reader = new HeaderReader(block, _pairs);
        _blocks.ReadHeaders(ref reader);
    }

    private void ReadTrailers(params (string Name, string Value)[] fields)
    {
        var reader = new HeaderReader(RawFrames.Fields(fields), _pairs);
        _blocks.ReadTrailers(ref reader);
    }
}
