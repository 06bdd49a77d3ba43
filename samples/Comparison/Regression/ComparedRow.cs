using GrpcShm.Samples.Comparison.Reporting;

namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>A measurement beside an earlier one of the same scenario over the same transport.</summary>
/// <param name="Old">The earlier one.</param>
/// <param name="New">The later one.</param>
/// <param name="Change">The change of the figure by which the scenario is compared.</param>
internal sealed record ComparedRow(JsonMeasurement Old, JsonMeasurement New, Change Change)
{
    private const double AllocationTolerance = 1.1;
    private const double AllocationSlack = 100;

    /// <summary>The new cost divided by the old cost; more than 1 is slower.</summary>
    public double Factor => New.GetCost().Median / Old.GetCost().Median;

    /// <summary>True if an operation allocates more memory. The figure differs little from run to run.</summary>
    public bool AllocatesMore =>
        New.AllocatedBytesPerOp > (Old.AllocatedBytesPerOp * AllocationTolerance) + AllocationSlack;
}
