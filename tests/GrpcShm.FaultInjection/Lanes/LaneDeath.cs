using GrpcShm.EventBus.Lanes;
using GrpcShm.FaultInjection.Planning;

namespace GrpcShm.FaultInjection.Lanes;

/// <summary>One death, or one halt, during a lane's life.</summary>
/// <param name="At">The side that comes to the step: <c>Source</c> or <c>Target</c>.</param>
/// <param name="Step">The step.</param>
/// <param name="Times">The visit to the step: 1 for the first.</param>
/// <param name="Victim">The process that is hit when the side is at the step.</param>
/// <param name="Death">What happens to it.</param>
internal sealed record LaneDeath(LaneMember At, LaneStep Step, int Times, LaneMember Victim, Death Death)
{
    private static readonly LaneStep[] OfSources =
    [
        LaneStep.Introduced, LaneStep.Connected, LaneStep.HelloWritten, LaneStep.Stands, LaneStep.Granted,
        LaneStep.FencePut, LaneStep.Opened, LaneStep.EventPut, LaneStep.Draining, LaneStep.RouteEnded,
        LaneStep.LeaveBegun, LaneStep.LaneEnded,
    ];

    private static readonly LaneStep[] OfTargets =
    [
        LaneStep.Introduced, LaneStep.HelloRead, LaneStep.WelcomeWritten, LaneStep.Stands, LaneStep.GrantTaken,
        LaneStep.FenceTaken, LaneStep.EventTaken, LaneStep.TargetEnded, LaneStep.LeaveTaken, LaneStep.LaneEnded,
    ];

    /// <summary>All combinations of a side's step and a victim.</summary>
    public static IReadOnlyList<(LaneMember At, LaneStep Step, LaneMember Victim)> Cells { get; } =
    [
        .. from at in new[] { LaneMember.Source, LaneMember.Target }
           from step in at == LaneMember.Source ? OfSources : OfTargets
           from victim in Enum.GetValues<LaneMember>()
           select (at, step, victim),
    ];

    /// <summary>
    /// The deaths of a run: all combinations in an order that follows from the seed, again and again.
    /// </summary>
    public static IEnumerable<LaneDeath> Create(FaultSettings settings)
    {
        var random = new Random(settings.Seed);
        var cells = Cells.ToArray();
        for (var left = settings.Kills; left > 0;)
        {
            random.Shuffle(cells);
            var before = left;
            foreach (var (at, step, victim) in cells)
            {
                var death = (Death)random.Next(Enum.GetValues<Death>().Length);
                var times = random.Next(step is LaneStep.EventPut or LaneStep.EventTaken ? 10 : 1) + 1;
                var fault = new LaneDeath(at, step, times, victim, death);
                if (left > 0
                    && settings.Only.All(word => fault.ToString().Contains(word, StringComparison.OrdinalIgnoreCase)))
                {
                    left--;
                    yield return fault;
                }
            }

            if (left == before)
            {
                throw new InvalidOperationException("No part of the plan has all these words.");
            }
        }
    }

    public override string ToString() => $"{Victim} {Death} when the {At} is at {Step}#{Times}";
}
