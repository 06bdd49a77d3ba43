namespace Samples;

/// <summary>How far a run is at one moment.</summary>
/// <param name="What">The part of the run.</param>
/// <param name="Done">How many steps of the part are done.</param>
/// <param name="Total">How many steps the part has; 0 if their number is not known.</param>
/// <param name="Since">How long the part has taken so far.</param>
internal readonly record struct ProgressState(string What, long Done, long Total, TimeSpan Since)
{
    /// <summary>The state in words.</summary>
    public override string ToString()
    {
        var done = Total == 0 ? "" : FormattableString.Invariant($": {Done:N0} of {Total:N0}");
        return FormattableString.Invariant($"{What}{done}, {Since.TotalSeconds:0} s");
    }
}
