using System.Text;
using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Requests;

/// <summary>A header, a trailer, or a field with a colon.</summary>
/// <param name="Name">As it is sent.</param>
/// <param name="Value">As it is sent.</param>
/// <param name="Spelling">The form in which direct mode sends it, if there is a choice.</param>
internal sealed record Field(byte[] Name, byte[] Value, int Spelling = 0)
{
    public Field(string name, string value, int spelling = 0)
        : this(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value), spelling)
    {
    }

    public bool IsMark => Name.AsSpan().SequenceEqual("x-case"u8);

    public bool IsPseudo => Name is [(byte)':', ..];

    public string NameText => Encoding.Latin1.GetString(Name);

    public string ValueText => Encoding.Latin1.GetString(Value);

    public override string ToString() => $"{Shown.Text(Name)}: {Shown.Text(Value)}";
}
