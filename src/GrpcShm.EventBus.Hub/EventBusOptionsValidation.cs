using System.Runtime.CompilerServices;
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

    public ValidateOptionsResult Validate(string? name, EventBusOptions options)
    {
        var failures = new List<string>();
        Check(options.DefaultMailboxCapacity, Defaults.DefaultMailboxCapacity, options.MaxMailboxCapacity);
        Check(options.MaxMailboxSize, Defaults.MaxMailboxSize, options.MaxWaitingSizePerSession);
        Check(options.MaxWaitingSizePerSession, Defaults.MaxWaitingSizePerSession, options.MaxWaitingSize);
        Check(options.MaxEventSize, Defaults.MaxEventSize, options.MaxWaitingSizePerSession);
        Check(options.MaxEventSize, Defaults.MaxEventSize, options.MaxWaitingSize);
        Check(options.MaxEventSize, Defaults.MaxEventSize, options.MaxPartsSize);
        Check(options.MaxMachinesPerSession, Defaults.MaxMachinesPerSession, options.MaxMachines);
        Check(
            options.MaxRegistrationSizePerSession, Defaults.MaxRegistrationSizePerSession, options.MaxRegistrationSize);
        Check(options.MaxObserversPerSession, Defaults.MaxObserversPerSession, options.MaxObservers);
        Check(options.MaxObserversPerSession, Defaults.MaxObserversPerSession, options.MaxSubscriptionsPerSession);
        Check(options.MaxPatternsPerSession, Defaults.MaxPatternsPerSession, options.MaxPatterns);
        Check(
            options.MaxPendingAcknowledgementsPerSession,
            Defaults.MaxPendingAcknowledgementsPerSession,
            options.MaxPendingAcknowledgements);
        Check(options.MaxSessionsPerUser, Defaults.MaxSessionsPerUser, options.MaxSessions);
        Check(options.MaxLeasesPerUser, Defaults.MaxLeasesPerUser, options.MaxLeases);
        Check(options.MaxRoutesPerSession, Defaults.MaxRoutesPerSession, options.MaxRoutes);
        Check(options.MaxCopyBlockTime, Defaults.MaxCopyBlockTime, options.MaxBlockTime);
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;

        void Check<T>(
            T part,
            T usual,
            T whole,
            [CallerArgumentExpression(nameof(part))] string ofPart = "",
            [CallerArgumentExpression(nameof(whole))] string ofWhole = "")
            where T : struct, IComparable<T>, IEquatable<T>
        {
            if (part.CompareTo(whole) > 0 && !part.Equals(usual))
            {
                var (partName, wholeName) = (NameIn(ofPart), NameIn(ofWhole));
                failures.Add(
                    $"{nameof(EventBusOptions)}.{partName} is {part}, more than {wholeName}, which is {whole}. "
                    + $"Raise {wholeName}, or lower {partName}.");
            }
        }
    }

    /// <summary>The option's name in an expression as <c>options.MaxMachines</c>.</summary>
    private static string NameIn(string expression) => expression[(expression.LastIndexOf('.') + 1)..];
}
