using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Routing;

/// <summary>What subscriptions want, by the one class that the hub and its clients have for it.</summary>
public sealed class EventFilterTests
{
    [Fact]
    public void Matches_RandomPatterns_AsEachPartDoesInTheSimpleWay()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 100_000; i++)
        {
            var pattern = new EventPattern
            {
                Name = Part(random), Source = Part(random), Target = Part(random), Group = Part(random),
            };
            var sent =
                new Event { Name = Text(random), Source = Text(random), Target = Text(random), Group = Text(random) };
            var expected = Matches(pattern.Name, sent.Name) && Matches(pattern.Source, sent.Source)
                && Matches(pattern.Target, sent.Target) && Matches(pattern.Group, sent.Group);

            var filter = new EventFilter(new Subscription { Pattern = pattern });
            Assert.True(expected == filter.Matches(sent), $"{pattern} and {sent}, seed {seed}");
        }
    }

    [Fact]
    public void Matches_OtherFilters_AsTheySay()
    {
        var sent = new Event { Name = "N", Source = "s-1", Target = "t" };
        var changed = new Event { Name = "N", Source = "s-1", StateChange = new StateChange() };
        var published = new Event { Name = "N", Source = "s-1", Group = "g" };

        Assert.Equal((true, false, false), Of(new Subscription { Machine = "t" }));
        Assert.Equal((false, false, true), Of(new Subscription { Group = "g" }));
        Assert.Equal((false, true, false), Of(new Subscription { StateChanges = "s-1" }));
        Assert.Equal((false, true, false), Of(new Subscription { StateChanges = "s-*" }));
        Assert.Equal((false, false, false), Of(new Subscription { StateChanges = "other" }));
        Assert.Equal((true, true, true), Of(new Subscription { All = new AllEvents() }));
        Assert.Equal((false, false, false), Of(new Subscription { MachineChanges = "*" }));
        Assert.Equal((false, false, false), Of(new Subscription { Inbox = "t" }));

        (bool Sent, bool Changed, bool Published) Of(Subscription subscription)
        {
            var filter = new EventFilter(subscription);
            return (filter.Matches(sent), filter.Matches(changed), filter.Matches(published));
        }
    }

    private static bool Matches(string pattern, string text) => pattern.Length == 0 || Glob.Matches(pattern, text);

    private static string Part(Random random) => random.Next(3) == 0 ? "" : Text(random, "ab*?", 4);

    private static string Text(Random random, string characters = "ab", int most = 3) =>
        new([.. Enumerable.Range(0, random.Next(most)).Select(_ => characters[random.Next(characters.Length)])]);
}
