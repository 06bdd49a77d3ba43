namespace GrpcShm.Loans.Tests.Calls;

/// <summary>Tests that count what is on loan of <see cref="WaferMethods.Pool"/>: one at a time.</summary>
[CollectionDefinition(Name)]
public sealed class WaferCollection
{
    public const string Name = "Wafers";
}
