using System.Text;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>A request as its handler sees it.</summary>
public sealed class ServerRequestTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;

    private ServerRequest Request => _under.Call.Request;

    private IHttpRequestFeature Feature => Request;

    private IHttpMaxRequestBodySizeFeature MaxSize => Request;

    private IHttpRequestTrailersFeature Trailers => Request;

    public async ValueTask InitializeAsync() =>
        _under = await CallUnderTest.CreateAsync(static kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = 100;
            kestrel.RequestHeaderEncodingSelector = static name => name == "x-text" ? Encoding.Latin1 : null;
        });

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public void SetTarget_AndHead_AreShown()
    {
        Request.SetTarget(new CallTarget("/a.B/C", _under.Application));
        Request.SetHead("POST", "http");

        Assert.Equal(("POST", "http"), (Feature.Method, Feature.Scheme));
        Assert.Equal(("/a.B/C", "/a.B/C"), (Feature.Path, Feature.RawTarget));
        Assert.Equal(("", "", "HTTP/2"), (Feature.PathBase, Feature.QueryString, Feature.Protocol));
    }

    [Fact]
    public void TraceIdentifier_NotSet_NamesTheCallOfTheConnection()
    {
        Assert.Equal($"{_under.Connection.ConnectionId}:00000007", Request.TraceIdentifier);

        Request.TraceIdentifier = "own";
        Assert.Equal("own", Request.TraceIdentifier);
        Request.Reuse();
        Assert.NotEqual("own", Request.TraceIdentifier);
    }

    [Theory]
    [InlineData(101, null)]
    [InlineData(1, 101L)]
    public void CheckRead_LargerThanTheServerTakes_IsRefused(long total, long? contentLength)
    {
        var refused = Assert.Throws<BadHttpRequestException>(() => Request.CheckRead(total, contentLength));

        Assert.Equal(StatusCodes.Status413PayloadTooLarge, refused.StatusCode);
    }

    [Fact]
    public void CheckRead_OfTheMostBytes_IsTaken()
    {
        Request.CheckRead(100, 100);

        Assert.True(MaxSize.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => MaxSize.MaxRequestBodySize = 200);
    }

    [Fact]
    public void CheckRead_RefusedByItsLength_MayBeAllowedAfterAll()
    {
        // Nothing has been read of it yet.
        Assert.Throws<BadHttpRequestException>(() => Request.CheckRead(1, 200));
        Assert.False(MaxSize.IsReadOnly);

        MaxSize.MaxRequestBodySize = null;
        Request.CheckRead(1, 200);
        Assert.True(MaxSize.IsReadOnly);
    }

    [Fact]
    public void MaxRequestBodySize_Negative_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MaxSize.MaxRequestBodySize = -1);
        Assert.Equal(100, MaxSize.MaxRequestBodySize);
    }

    [Fact]
    public void MaxRequestBodySize_NoBody_CanAlwaysBeSet()
    {
        Request.EndBody(isMissing: true);
        Request.CheckRead(0, null);

        Assert.False(((IHttpRequestBodyDetectionFeature)Request).CanHaveBody);
        Assert.False(MaxSize.IsReadOnly);
    }

    [Fact]
    public void Trailers_BodyHasNotEnded_AreNotThere()
    {
        Request.Trailers["x-name"] = "1";

        Assert.False(Trailers.Available);
        Assert.Throws<InvalidOperationException>(() => Trailers.Trailers);
    }

    [Fact]
    public void Trailers_BodyHasEnded_AreDecodedOnce()
    {
        Request.Trailers["x-text"] = "ä";
        Request.EndBody(isMissing: false);

        Assert.True(Trailers.Available);
        Assert.Equal("\u00c3\u00a4", Trailers.Trailers["x-text"]);
        Assert.Equal("\u00c3\u00a4", Trailers.Trailers["x-text"]);
    }

    [Fact]
    public async Task Body_Replaced_IsReadByTheReaderToo()
    {
        var own = Feature.Body;
        Assert.Same(own, Feature.Body);
        using var other = new MemoryStream([1, 2, 3]);
        Feature.Body = other;

        Assert.Same(other, Feature.Body);
        var reader = Request.Reader;
        Assert.Same(reader, Request.Reader);
        var result = await reader.ReadAtLeastAsync(3, TestContext.Current.CancellationToken);
        Assert.Equal(3, result.Buffer.Length);
        reader.AdvanceTo(result.Buffer.End);

        Feature.Body = own;
        Assert.Same(own, Feature.Body);
        Assert.Same(_under.Call.CallStream.Input, Request.Reader);
    }

    [Fact]
    public async Task Reader_OfAReplacedBody_EndsWithTheRequest()
    {
        using var other = new MemoryStream([1]);
        Feature.Body = other;
        var reader = ((IRequestBodyPipeFeature)Request).Reader;

        await _under.Call.Response.Callbacks.RunCompletedAsync();

        Assert.Throws<InvalidOperationException>(() => reader.TryRead(out _));
    }

    [Fact]
    public async Task StopBody_HandlerKeptIt_ReadsNoMore()
    {
        var kept = Feature.Body;

        Request.StopBody();

        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await kept.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Reuse_ApplicationHadReplacedMuch_IsAsNew()
    {
        var headers = Feature.Headers;
        headers["x-name"] = "1";
        Request.SetTarget(new CallTarget("/a.B/C", _under.Application));
        Feature.Headers = new HeaderDictionary();
        Feature.Body = Stream.Null;
        Feature.PathBase = "/base";
        Feature.QueryString = "?q";
        Feature.Protocol = "other";
        MaxSize.MaxRequestBodySize = 5;
        Request.EndBody(isMissing: true);

        Request.Reuse();

        Assert.Same(headers, Feature.Headers);
        Assert.Empty(headers);
        Assert.NotSame(Stream.Null, Feature.Body);
        Assert.Equal(("", "", "", ""), (Feature.Path, Feature.RawTarget, Feature.PathBase, Feature.QueryString));
        Assert.Equal("HTTP/2", Feature.Protocol);
        Assert.Equal(100, MaxSize.MaxRequestBodySize);
        Assert.True(Request.CanHaveBody);
        Assert.False(Trailers.Available);
    }
}
