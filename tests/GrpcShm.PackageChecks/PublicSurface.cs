using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace GrpcShm.PackageChecks;

/// <summary>
/// What the assemblies of the packages show to others. A member is known by its type, its name and the number of its parameters:
/// coarser than the build step that filters the documentation, and written apart from it, so that one finds the other's faults.
/// </summary>
internal sealed class PublicSurface
{
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _undocumented = new(StringComparer.Ordinal);

    /// <summary>All members, as <see cref="KeyOf"/> writes them.</summary>
    public IReadOnlySet<string> Members => _members;

    public static PublicSurface Of(IEnumerable<Package> packages)
    {
        var surface = new PublicSurface();
        foreach (var package in packages)
        {
            using var file = new PEReader(new MemoryStream(package.Assembly()));
            var reader = file.GetMetadataReader();
            foreach (var type in reader.TypeDefinitions.Select(reader.GetTypeDefinition).Where(type => IsPublic(reader, type)))
            {
                surface.Add(reader, type);
            }
        }

        return surface;
    }

    /// <summary>The members of a type that the compiler wants to be documented.</summary>
    public IEnumerable<string> ToDocument(string type) =>
        _members.Where(member => member.Split(' ')[1] == type && !_undocumented.Contains(member));

    /// <summary>A name of the documentation, such as <c>M:Space.Type.Method(System.Int32)</c>, as <c>M Space.Type Method 1</c>.</summary>
    public static string KeyOf(string name)
    {
        var kind = name[0];
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var path = (open < 0 ? name : name[..open])[2..].Split('~')[0];
        if (kind == 'T')
        {
            return $"T {path}";
        }

        var dot = path.LastIndexOf('.');
        var member = path[(dot + 1)..].Split("``")[0];
        return $"{kind} {path[..dot]} {member} {(open < 0 ? 0 : CountOfParameters(name[(open + 1)..]))}";
    }

    private static int CountOfParameters(string list)
    {
        var depth = 0;
        var count = 1;
        foreach (var letter in list.TakeWhile(letter => letter != ')'))
        {
            depth += letter is '{' or '[' ? 1 : letter is '}' or ']' ? -1 : 0;
            count += letter == ',' && depth == 0 ? 1 : 0;
        }

        return count;
    }

    private void Add(MetadataReader reader, TypeDefinition type)
    {
        var name = NameOf(reader, type);
        _members.Add($"T {name}");
        foreach (var field in type.GetFields().Select(reader.GetFieldDefinition).Where(static field => IsPublic((int)field.Attributes)))
        {
            Add($"F {name} {reader.GetString(field.Name)} 0", field.Attributes.HasFlag(FieldAttributes.SpecialName));
        }

        var accessors = type.GetProperties().Select(reader.GetPropertyDefinition)
            .Select(static property => (property.Name, Kind: 'P', property.GetAccessors().Getter, property.GetAccessors().Setter))
            .Concat(type.GetEvents().Select(reader.GetEventDefinition)
                .Select(static added => (added.Name, Kind: 'E', added.GetAccessors().Adder, added.GetAccessors().Remover)));
        foreach (var (member, kind, first, second) in accessors.Where(pair => IsPublic(reader, pair.Item3) || IsPublic(reader, pair.Item4)))
        {
            // An indexer's getter has the indexer's parameters.
            var parameters = kind == 'P' && !first.IsNil ? CountOfParameters(reader, reader.GetMethodDefinition(first)) : 0;
            Add($"{kind} {name} {reader.GetString(member)} {parameters}", isUndocumented: false);
        }

        foreach (var method in type.GetMethods().Where(method => IsPublic(reader, method)).Select(reader.GetMethodDefinition))
        {
            var isPart = method.Attributes.HasFlag(MethodAttributes.SpecialName) && !method.Attributes.HasFlag(MethodAttributes.RTSpecialName);
            var member = reader.GetString(method.Name).Replace('.', '#');
            var parameters = CountOfParameters(reader, method);
            Add(
                $"M {name} {member} {parameters}",
                isPart || (member == "#ctor" && parameters == 0) || IsWrittenByTheCompiler(reader, method));
        }
    }

    private void Add(string member, bool isUndocumented)
    {
        _members.Add(member);
        if (isUndocumented)
        {
            _undocumented.Add(member);
        }
    }

    private static int CountOfParameters(MetadataReader reader, MethodDefinition method)
    {
        var signature = reader.GetBlobReader(method.Signature);
        var header = signature.ReadSignatureHeader();
        if (header.IsGeneric)
        {
            signature.ReadCompressedInteger();
        }

        return signature.ReadCompressedInteger();
    }

    private static bool IsWrittenByTheCompiler(MetadataReader reader, MethodDefinition method) =>
        method.ImplAttributes.HasFlag(MethodImplAttributes.Runtime)
        || method.GetCustomAttributes().Select(reader.GetCustomAttribute).Any(attribute =>
            attribute.Constructor.Kind == HandleKind.MemberReference
            && reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } parent
            && reader.GetString(reader.GetTypeReference((TypeReferenceHandle)parent).Name) == "CompilerGeneratedAttribute");

    private static string NameOf(MetadataReader reader, TypeDefinition type)
    {
        var name = reader.GetString(type.Name);
        var space = reader.GetString(type.Namespace);
        return type.IsNested ? $"{NameOf(reader, reader.GetTypeDefinition(type.GetDeclaringType()))}.{name}"
            : space.Length == 0 ? name : $"{space}.{name}";
    }

    private static bool IsPublic(MetadataReader reader, TypeDefinition type) =>
        (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem =>
                IsPublic(reader, reader.GetTypeDefinition(type.GetDeclaringType())),
            _ => false,
        };

    private static bool IsPublic(MetadataReader reader, MethodDefinitionHandle method) =>
        !method.IsNil && IsPublic((int)reader.GetMethodDefinition(method).Attributes);

    // The numbers of the access of a field and of a method are the same: family (4), family or assembly (5), public (6).
    private static bool IsPublic(int attributes) => (attributes & 7) is 4 or 5 or 6;
}
