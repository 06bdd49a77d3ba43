namespace GrpcShm.Loans.Tests.Memory;

/// <summary>The switch of the process for what a pool does.</summary>
[Collection(AloneCollection.Name)]
public sealed class FindMisuseSwitchTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FindMisuse_NotSet_IsAsTheSwitchSays(bool isOn)
    {
        var before = LoanPoolOptions.FindsMisuseByDefault();
        AppContext.SetSwitch(LoanPoolOptions.CheckedSwitch, isOn);
        try
        {
            Assert.Equal(isOn, new LoanPool().FindsMisuse);
            Assert.Equal(!isOn, new LoanPool(new LoanPoolOptions { FindMisuse = !isOn }).FindsMisuse);
        }
        finally
        {
            AppContext.SetSwitch(LoanPoolOptions.CheckedSwitch, before);
        }
    }
}
