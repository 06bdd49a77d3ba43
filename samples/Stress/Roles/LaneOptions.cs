namespace Samples.Stress.Roles;

/// <summary>How a producer sends.</summary>
/// <param name="InFlight">How many events of a lane may be without an acknowledgement.</param>
/// <param name="MaxBody">The most bytes that an event's body has.</param>
/// <param name="Rate">Events a second of a lane; 0 for as many as are acknowledged.</param>
internal readonly record struct LaneOptions(int InFlight, int MaxBody, double Rate)
{
    /// <summary>
    /// The most that <see cref="InFlight"/> may be: the consumers' mailboxes have room for that much of each producer.
    /// </summary>
    public const int MostInFlight = 64;
}
