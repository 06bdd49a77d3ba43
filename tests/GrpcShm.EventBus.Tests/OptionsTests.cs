using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests;

/// <summary>Options that are refused: values without a name, and values that contradict each other.</summary>
public sealed class OptionsTests
{
    [Theory]
    [InlineData("MaxMailboxCapacity", "DefaultMailboxCapacity")]
    [InlineData("MaxWaitingSizePerSession", "MaxMailboxSize")]
    [InlineData("MaxWaitingSize", "MaxWaitingSizePerSession")]
    [InlineData("MaxWaitingSizePerSession", "MaxEventSize")]
    [InlineData("MaxWaitingSize", "MaxEventSize")]
    [InlineData("MaxPartsSize", "MaxEventSize")]
    [InlineData("MaxMachines", "MaxMachinesPerSession")]
    [InlineData("MaxRegistrationSize", "MaxRegistrationSizePerSession")]
    [InlineData("MaxObservers", "MaxObserversPerSession")]
    [InlineData("MaxSubscriptionsPerSession", "MaxObserversPerSession")]
    [InlineData("MaxPatterns", "MaxPatternsPerSession")]
    [InlineData("MaxPendingAcknowledgements", "MaxPendingAcknowledgementsPerSession")]
    [InlineData("MaxSessions", "MaxSessionsPerUser")]
    [InlineData("MaxLeases", "MaxLeasesPerUser")]
    public void AddEventBus_BoundOfAPartRaisedAboveItsWhole_IsRefusedAndNamesBoth(string whole, string part)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Read((whole, "2000"), (part, "2001")));

        Assert.Contains(
            $"EventBusOptions.{part} is 2001, more than {whole}, which is 2000.",
            refused.Message,
            StringComparison.Ordinal);
        Read((whole, "2000"), (part, "2000"));
    }

    [Fact]
    public void AddEventBus_TimeForACopyAboveThatForAnEvent_IsRefused()
    {
        var refused = Assert.Throws<OptionsValidationException>(
            () => Read(("MaxBlockTime", "00:00:05"), ("MaxCopyBlockTime", "00:00:06")));

        Assert.Contains(
            "MaxCopyBlockTime is 00:00:06, more than MaxBlockTime", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MaxMailboxCapacity")]
    [InlineData("MaxWaitingSizePerSession")]
    [InlineData("MaxWaitingSize")]
    [InlineData("MaxMachines")]
    [InlineData("MaxSessions")]
    public void AddEventBus_BoundOfAWholeLoweredAlone_IsTaken(string whole) => Read((whole, "1024"));

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

    private static EventBusOptions Read(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddEventBus(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(static s => s.Name, static s => (string?)s.Value))
            .Build());
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<EventBusOptions>>().Value;
    }
}
