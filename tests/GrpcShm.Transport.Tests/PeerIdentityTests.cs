using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests;

public sealed class PeerIdentityTests
{
    [Fact]
    public void Equals_GoesByTheIdAlone()
    {
        var one = new PeerIdentity("1000");
        var same = new PeerIdentity("1000", isPrivileged: true);
        var other = new PeerIdentity("S-1-5-18");
        Assert.Equal(one, same);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.True(one == same);
        Assert.False(one != same);
        Assert.NotEqual(one, other);
        Assert.False(one == other);
        Assert.True(one != other);
    }

    [Fact]
    public void Equals_Nobody_IsNobodysIdentity()
    {
        var one = new PeerIdentity("1000");
        PeerIdentity? nobody = null;
        Assert.False(one == nobody);
        Assert.False(nobody == one);
        Assert.True(nobody == null);
        Assert.False(one.Equals((object?)"1000"));
    }

    [Theory]
    [InlineData("01000")]
    [InlineData("1000 ")]
    [InlineData("+1000")]
    public void Equals_TheSameNumberWrittenOtherwise_IsAnother(string id) =>
        Assert.NotEqual(new PeerIdentity("1000"), new PeerIdentity(id));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void Create_WithoutAnId_IsRefused(string id) => Assert.Throws<ArgumentException>(() => new PeerIdentity(id));

    [Fact]
    public void ToString_SaysWho() => Assert.Equal("user S-1-5-21-1", new PeerIdentity("S-1-5-21-1").ToString());

    [Fact]
    public void IsSameUser_IsTheUserOfThisProcessAlone()
    {
        var user = Libc.EffectiveUserId();
        Assert.True(LinuxUser.Of(user).IsSameUser);
        Assert.True(TransportPlatform.Current.CurrentUser.IsSameUser);
        Assert.False(LinuxUser.Of(user + 1).IsSameUser);
        Assert.False(new PeerIdentity("S-1-5-18", isPrivileged: true).IsSameUser);
    }

    [Fact]
    public async Task IsSameUser_TheProcessHasAnotherUserMeanwhile_GoesByThat()
    {
        if (!OtherUser.IsAvailable)
        {
            Assert.False(LinuxUser.Of(OtherUser.Id).IsSameUser);
            return;
        }

        var (other, root) = await OtherUser.RunAsync(
            () => (LinuxUser.Of(OtherUser.Id).IsSameUser, LinuxUser.Of(0).IsSameUser));
        Assert.True(other);
        Assert.False(root);
    }

    [Theory]
    [InlineData(0u, true)]
    [InlineData(1u, false)]
    [InlineData(1000u, false)]
    [InlineData(uint.MaxValue, false)]
    public void IsPrivileged_OnLinux_IsRootAlone(uint user, bool expected) =>
        Assert.Equal(expected, LinuxUser.Of(user).IsPrivileged);

    [Fact]
    public void Id_OnLinux_IsTheNumberWithoutASign() => Assert.Equal("4294967295", LinuxUser.Of(uint.MaxValue).Id);
}
