using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>How the names of a request's headers are shown, and which may not be there.</summary>
public sealed class RequestHeaderNamesTests
{
    [Theory]
    [InlineData("user-agent", "User-Agent")]
    [InlineData("te", "TE")]
    [InlineData("x-ua-compatible", "X-UA-Compatible")]
    [InlineData("etag", "ETag")]
    [InlineData("traceparent", "traceparent")]
    public void Find_KnownName_HasItsSpelling(string name, string shown) => Assert.Equal(shown, Find(name).Name);

    [Fact]
    public void Find_UnknownName_ComesLastAndAsItCame()
    {
        var unknown = Find("x-nobody-knows");

        Assert.Equal("x-nobody-knows", unknown.Name);
        Assert.False(unknown.IsForbidden);
        Assert.True(Find("content-length").Order < unknown.Order);
        Assert.Equal(unknown.Order, Find("etag").Order);
    }

    [Fact]
    public void Find_KnownNames_ComeInAnOrderOfTheirOwn()
    {
        Assert.True(Find("accept").Order < RequestHeaderNames.Host.Order);
        Assert.True(RequestHeaderNames.Host.Order < Find("user-agent").Order);
        Assert.True(Find("user-agent").Order < Find("te").Order);
        Assert.True(Find("te").Order < Find("content-length").Order);
    }

    [Theory]
    [InlineData("connection")]
    [InlineData("keep-alive")]
    [InlineData("proxy-connection")]
    [InlineData("transfer-encoding")]
    [InlineData("upgrade")]
    [InlineData("host")]
    public void Find_NameOfAConnection_IsForbidden(string name) => Assert.True(Find(name).IsForbidden);

    [Fact]
    public void Host_OfTheAuthority_IsNotForbidden()
    {
        Assert.Equal("Host", RequestHeaderNames.Host.Name);
        Assert.False(RequestHeaderNames.Host.IsForbidden);
    }

    [Fact]
    public void Find_ByNumber_IsTheSameAsByName()
    {
        for (var number = 0; number < HeaderNames.Count; number++)
        {
            var name = HeaderNames.NameOf(number);
            Assert.Equal(
                RequestHeaderNames.Find(HeaderNames.Unknown, name), RequestHeaderNames.Find(number, "ignored"));
        }
    }

    private static RequestHeaderNames.Entry Find(string name) =>
        RequestHeaderNames.Find(HeaderNames.NumberOf(name), name);
}
