using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Responses;

/// <summary>One thing that a handler does.</summary>
internal sealed record ResponseStep(ResponseAction Action, string Name = "", string Value = "", int Number = 0)
{
    public override string ToString() =>
        Action
        + (Name.Length > 0 ? $" {Shown.Text(Name)}" : "")
        + (Value.Length > 0 ? $" {Shown.Text(Value)}" : "")
        + (Number != 0 ? $" {Number}" : "");
}
