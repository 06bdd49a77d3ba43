using System.Security.Claims;
using GrpcShm.EventBus.Access;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.EventBus.Tests.Access;

public sealed class PeerIdentityTests
{
    [Theory]
    [InlineData(ClaimTypes.NameIdentifier)]
    [InlineData("sub")]
    [InlineData(ClaimTypes.Name)]
    [InlineData(null)]
    public void Of_UsersWhoseNameIsEmptyOrMissing_AreOneForEachConnection(string? claim)
    {
        var (first, again, other) = (Of(claim, "", "1"), Of(claim, "", "1"), Of(claim, "", "2"));

        Assert.True(first.IsSameUserAs(again));
        Assert.False(first.IsSameUserAs(other));
        Assert.True(first.IsOtherProcessThan(other));
    }

    [Fact]
    public void Of_UserWhoseIdIsEmpty_GoesByTheName()
    {
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, ""), new Claim(ClaimTypes.Name, "alice")], "test");
        var context = new DefaultHttpContext { User = new ClaimsPrincipal(identity) };

        Assert.Equal("test:alice", PeerIdentity.Of(context).UserId);
    }

    private static PeerIdentity Of(string? claim, string value, string connection)
    {
        var identity = new ClaimsIdentity(claim is null ? [] : [new Claim(claim, value)], "test");
        var context = new DefaultHttpContext { User = new ClaimsPrincipal(identity) };
        context.Connection.Id = connection;
        return PeerIdentity.Of(context);
    }
}
