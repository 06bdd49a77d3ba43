using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform;

public sealed class LinuxUserTests
{
    [Fact]
    public void FindUserName_OfThisProcess_IsTheNameThatTheRunTimeKnows() =>
        Assert.Equal(
            Environment.UserName, TransportPlatform.Current.FindUserName(TransportPlatform.Current.CurrentUser));

    [Theory]
    [InlineData("4294967294")]
    [InlineData("S-1-5-18")]
    [InlineData("-1")]
    public void FindUserName_OfAUserWhomTheSystemDoesNotHave_IsNone(string id) =>
        Assert.Null(TransportPlatform.Current.FindUserName(new PeerIdentity(id)));
}
