using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>How many bytes a call may send.</summary>
public sealed class SendCreditTests
{
    private SendCredit _credit = new();

    [Fact]
    public void Use_OfTheFirstWindow_LeavesTheRest()
    {
        Assert.Equal(CallSettings.FirstWindow, _credit.Available);

        _credit.Use(1000);
        _credit.Use(CallSettings.FirstWindow - 1000);

        Assert.Equal((0, CallSettings.FirstWindow), (_credit.Available, _credit.Sent));
    }

    [Fact]
    public void TryAdd_UpToTheWindow_IsTaken()
    {
        Assert.True(_credit.TryAdd(CallSettings.Window - CallSettings.FirstWindow));

        Assert.Equal(CallSettings.Window, _credit.Available);
    }

    [Theory]
    [InlineData((uint)(CallSettings.Window - CallSettings.FirstWindow + 1))]
    [InlineData(uint.MaxValue)]
    public void TryAdd_BeyondTheWindow_IsRefusedAndChangesNothing(uint count)
    {
        Assert.False(_credit.TryAdd(count));

        Assert.Equal(CallSettings.FirstWindow, _credit.Available);
    }
}
