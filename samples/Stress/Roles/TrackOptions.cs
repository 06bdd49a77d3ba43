namespace Samples.Stress.Roles;

/// <summary>The settings of a producer.</summary>
/// <param name="InFlight">The most events of a track without an acknowledgement.</param>
/// <param name="MaxBody">The most bytes that an event's body has.</param>
/// <param name="Rate">Events a second of a track; with 0, as fast as they are acknowledged.</param>
internal readonly record struct TrackOptions(int InFlight, int MaxBody, double Rate)
{
    /// <summary>
    /// The highest value of <see cref="InFlight"/>: the consumers' mailboxes have room for this number of events of
    /// each producer.
    /// </summary>
    public const int MostInFlight = 64;
}
