using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>Status, headers and trailers of a response, and what of them is sent.</summary>
public sealed class ResponseHeadTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;
    private ResponseHead _head = null!;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _head = new ResponseHead(_under.Call);
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public async Task WriteHeaders_OfTheHandler_ReachTheClientWithoutThoseOfAConnection()
    {
        _head.StatusCode = 418;
        _head.Headers["x-own"] = new(["1", "2"]);
        _head.Headers["Connection"] = "close";
        _head.Headers["keep-alive"] = "5";
        _head.Headers["proxy-connection"] = "5";
        _head.Headers["Transfer-Encoding"] = "chunked";
        _head.Headers["upgrade"] = "h2c";
        _head.Headers["x-empty"] = "";

        _head.WriteHeaders();
        await _under.Call.CallStream.Output.FlushAsync(TestContext.Current.CancellationToken);

        var peer = await _under.PeerAsync();
        Assert.Equal(
            [(":status", "418"), ("x-own", "1"), ("x-own", "2"), ("x-empty", "")], await peer.HeadersReceived.InTime());
    }

    [Fact]
    public async Task WriteTrailers_OfTheHandler_GoWithTheEndAndCannotBeChanged()
    {
        var trailers = _head.GetTrailers(areSent: false);
        trailers["grpc-status"] = "0";
        trailers["connection"] = "close";

        _head.WriteHeaders();
        _head.WriteTrailers();
        _under.Call.CallStream.Output.End();

        var peer = await _under.PeerAsync();
        Assert.Equal([("grpc-status", "0"), ("connection", "close")], await peer.TrailersReceived.InTime());
        Assert.True(trailers.IsReadOnly);
    }

    [Fact]
    public async Task WriteTrailers_None_SendsNone()
    {
        _head.WriteHeaders();
        _head.WriteTrailers();
        _under.Call.CallStream.Output.End();

        var peer = await _under.PeerAsync();
        await peer.EndReceived.InTime();
        Assert.False(peer.TrailersReceived.IsCompleted);
    }

    [Fact]
    public void WriteHeaders_MoreThanACallCanHave_LeavesNothingToBeSent()
    {
        _head.Headers["x-first"] = "1";
        _head.Headers["x-large"] = new string('a', 70_000);

        Assert.Throws<InvalidOperationException>(_head.WriteHeaders);

        Assert.False(_under.Call.CallStream.Headers.IsPending);
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(199, false)]
    [InlineData(200, true)]
    [InlineData(204, false)]
    [InlineData(205, true)]
    [InlineData(304, true)]
    [InlineData(99, true)]
    public void MayHaveLength_OfAStatus_IsAsInHttp(int status, bool mayHaveLength)
    {
        _head.StatusCode = status;

        Assert.Equal(mayHaveLength, _head.MayHaveLength);
    }

    [Fact]
    public void GetTrailers_AfterTheyWereSent_CannotBeAddedTo() =>
        Assert.Throws<InvalidOperationException>(() => _head.GetTrailers(areSent: true)["x-late"] = "1");

    [Fact]
    public void SetError_HandlerHadSetMuch_LeavesTheErrorAlone()
    {
        _head.Headers["x-own"] = "1";
        _head.Headers.SetReadOnly();
        _head.GetTrailers(areSent: false)["grpc-status"] = "0";
        _head.ReasonPhrase = "fine";

        _head.SetError(503);

        Assert.Equal((503, null), (_head.StatusCode, _head.ReasonPhrase));
        Assert.Equal(["Content-Length"], _head.Headers.Keys);
        Assert.Equal(0, _head.Headers.ContentLength);
        Assert.Empty(_head.GetTrailers(areSent: false).Keys);
    }

    [Fact]
    public void Reuse_HandlerHadSetMuch_IsAsNew()
    {
        _head.StatusCode = 404;
        _head.ReasonPhrase = "none";
        _head.Headers["x-own"] = "1";
        _head.GetTrailers(areSent: true);

        _head.Reuse();

        Assert.Equal((200, null), (_head.StatusCode, _head.ReasonPhrase));
        Assert.Empty(_head.Headers.Keys);
        Assert.False(_head.GetTrailers(areSent: false).IsReadOnly);
    }
}
