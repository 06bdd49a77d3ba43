using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests;

/// <summary>Options that are refused: values without a name.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void Choice_WithoutAName_IsRefusedWithTheOptionTheValueAndTheNames()
    {
        var policy = Assert.Throws<ArgumentOutOfRangeException>(
            () => new MachineOptions { OverflowPolicy = (OverflowPolicy)99 });
        var level = Assert.Throws<ArgumentOutOfRangeException>(
            () => new EventSendOptions { Acknowledgement = (AcknowledgementLevel)(-1) });

        Assert.StartsWith(
            "OverflowPolicy cannot be 99. It is one of Unspecified, ", policy.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "Acknowledgement cannot be -1. It is one of Unspecified, ", level.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(OverflowPolicy.DropOldest), policy.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(AcknowledgementLevel.Replied), level.Message, StringComparison.Ordinal);
    }
}
