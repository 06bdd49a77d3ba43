using Microsoft.Extensions.Options;

namespace GrpcShm.EventBus;

/// <summary>
/// Refuses, when the host starts, a bound of a part that has been raised above the bound of the whole, since the part
/// could never get so much.
/// </summary>
/// <remarks>
/// A bound of a part that still has its default value is not refused: whoever lowers the bound of the whole has said
/// enough, since the lower of two bounds decides.
/// </remarks>
internal sealed class EventBusOptionsValidation : IValidateOptions<EventBusOptions>
{
    private static readonly EventBusOptions Defaults = new();

    private static readonly Pair[] Pairs =
    [
        new(
            nameof(EventBusOptions.DefaultMailboxCapacity), static options => options.DefaultMailboxCapacity,
            nameof(EventBusOptions.MaxMailboxCapacity), static options => options.MaxMailboxCapacity),
        new(
            nameof(EventBusOptions.MaxMailboxSize), static options => options.MaxMailboxSize,
            nameof(EventBusOptions.MaxWaitingSizePerSession), static options => options.MaxWaitingSizePerSession),
        new(
            nameof(EventBusOptions.MaxWaitingSizePerSession), static options => options.MaxWaitingSizePerSession,
            nameof(EventBusOptions.MaxWaitingSize), static options => options.MaxWaitingSize),
        new(
            nameof(EventBusOptions.MaxMachinesPerSession), static options => options.MaxMachinesPerSession,
            nameof(EventBusOptions.MaxMachines), static options => options.MaxMachines),
        new(
            nameof(EventBusOptions.MaxRegistrationSizePerSession),
            static options => options.MaxRegistrationSizePerSession,
            nameof(EventBusOptions.MaxRegistrationSize), static options => options.MaxRegistrationSize),
        new(
            nameof(EventBusOptions.MaxObserversPerSession), static options => options.MaxObserversPerSession,
            nameof(EventBusOptions.MaxObservers), static options => options.MaxObservers),
        new(
            nameof(EventBusOptions.MaxObserversPerSession), static options => options.MaxObserversPerSession,
            nameof(EventBusOptions.MaxSubscriptionsPerSession), static options => options.MaxSubscriptionsPerSession),
        new(
            nameof(EventBusOptions.MaxPatternsPerSession), static options => options.MaxPatternsPerSession,
            nameof(EventBusOptions.MaxPatterns), static options => options.MaxPatterns),
        new(
            nameof(EventBusOptions.MaxPendingAcknowledgementsPerSession),
            static options => options.MaxPendingAcknowledgementsPerSession,
            nameof(EventBusOptions.MaxPendingAcknowledgements), static options => options.MaxPendingAcknowledgements),
        new(
            nameof(EventBusOptions.MaxSessionsPerUser), static options => options.MaxSessionsPerUser,
            nameof(EventBusOptions.MaxSessions), static options => options.MaxSessions),
        new(
            nameof(EventBusOptions.MaxLeasesPerUser), static options => options.MaxLeasesPerUser,
            nameof(EventBusOptions.MaxLeases), static options => options.MaxLeases),
    ];

    public ValidateOptionsResult Validate(string? name, EventBusOptions options)
    {
        var failures = new List<string>();
        foreach (var pair in Pairs)
        {
            var (part, whole) = (pair.Part(options), pair.Whole(options));
            if (part > whole && part != pair.Part(Defaults))
            {
                failures.Add(
                    $"{nameof(EventBusOptions)}.{pair.PartName} is {part}, more than {pair.WholeName}, which is "
                    + $"{whole}. Raise {pair.WholeName}, or lower {pair.PartName}.");
            }
        }

        if (options.MaxCopyBlockTime > options.MaxBlockTime && options.MaxCopyBlockTime != Defaults.MaxCopyBlockTime)
        {
            failures.Add(
                $"{nameof(EventBusOptions)}.{nameof(options.MaxCopyBlockTime)} is {options.MaxCopyBlockTime}, more "
                + $"than {nameof(options.MaxBlockTime)}, which is {options.MaxBlockTime}. Raise "
                + $"{nameof(options.MaxBlockTime)}, or lower {nameof(options.MaxCopyBlockTime)}.");
        }

        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private sealed record Pair(
        string PartName, Func<EventBusOptions, long> Part, string WholeName, Func<EventBusOptions, long> Whole);
}
