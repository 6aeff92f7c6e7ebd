# shellcheck shell=sh disable=SC2034,SC2154 # tests/lint-deploy reads this file: check, skip, $work, $cache
# Runs what docs/deploy.md shows of the AWS CLI, of CDK and of the Serverless Framework. moto answers in place of AWS, on this
# machine. The zips are stand-ins: nothing is invoked.
shown=$work/shown
aws=$cache/deploy-aws

# The files of the document: blocks whose first line is a comment with the file's name.
collect_files() {
    mkdir -p "$shown/layer/dist" "$shown/bin"
    awk -v out="$shown/" '
        /^```/ { name = ""; first = 1; next }
        first && /^# [a-z]+\.[a-z]+$/ { name = $2 }
        { first = 0 }
        name { print > (out name) }
    ' docs/deploy.md
    touch "$shown/bootstrap"
    "$venv/bin/python" -m zipfile -c "$shown/shop.zip" "$shown/bootstrap"
    cp "$shown/shop.zip" "$shown/wsgi-lambda-bootstrap-python3.13-x86_64.zip"
}

install_aws() {
    cmp -s tests/deploy/requirements.txt "$aws/.done" && return 0
    echo "installing the AWS CLI, moto and CDK's library into .cache/deploy-aws, about two minutes"
    "${PYTHON:-python3}" -m venv --clear "$aws" &&
        "$aws/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/deploy/requirements.txt &&
        cp tests/deploy/requirements.txt "$aws/.done"
}

start_moto() {
    port=$("$aws/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$aws/bin/moto_server" --host 127.0.0.1 --port "$port" >"$work/moto" 2>&1 &
    moto=$!
    export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_PAGER=''
    "$aws/bin/python" - "$AWS_ENDPOINT_URL" <<'PYTHON'
import sys
import time
import urllib.request

for _ in range(300):
    try:
        urllib.request.urlopen(sys.argv[1] + "/moto-api/data.json")
        sys.exit()
    except OSError:
        time.sleep(0.1)
sys.exit("moto does not start")
PYTHON
}

# The commands of the section, one after the other. wsgi-lambda is a stand-in that makes its files.
shortest_way() (
    cat >"$shown/bin/wsgi-lambda" <<'SH'
#!/bin/sh
case "$1 $2" in
    "layer arn") exec aws lambda list-layer-versions --layer-name wsgi-lambda-python3-13 --output text \
        --query 'LayerVersions[0].LayerVersionArn' ;;
    layer*) cp shop.zip "layer/dist/wsgi-lambda-bootstrap-python$4-$6.zip" ;;
    package*) cp shop.zip "$4" ;;
esac
SH
    chmod +x "$shown/bin/wsgi-lambda"
    awk '/^## / { on = $0 == "## The shortest way" } on && /^    / { print substr($0, 5) }' docs/deploy.md >"$shown/commands"
    cd "$shown" || exit 1
    export PATH="$shown/bin:$aws/bin:$PATH"
    role=$(aws iam create-role --role-name shop --query Role.Arn --output text --assume-role-policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}')
    export role
    sh -eu commands && aws lambda get-function-configuration --function-name shop --output text \
        --query '[Runtime, Handler, Layers[0].Arn, Environment.Variables.AWS_LAMBDA_EXEC_WRAPPER]' |
        grep -xE 'python3.13	mysite.wsgi.application	arn:[^	]*:layer:wsgi-lambda-python3-13:1	/opt/bootstrap'
)

node_tools() {
    command -v npm >/dev/null &&
        npm install --silent --no-audit --no-fund --prefix "$cache/deploy-node" aws-cdk@2.1148.1 osls@4.3.1 >"$work/npm" 2>&1
}

synth() (
    cd "$shown" || exit 1
    PATH="$aws/bin:$PATH" CI=1 "$cache/deploy-node/node_modules/.bin/cdk" synth --app "python3 app.py" --no-notices --quiet
)

package() (
    cd "$shown" || exit 1
    "$cache/deploy-node/node_modules/.bin/osls" package
)

# What both make: one function with the layer, the variable and a public URL.
made() {
    "$venv/bin/python" - "$1" <<'PYTHON'
import json
import sys

resources = json.load(open(sys.argv[1]))["Resources"].values()
[function] = [each["Properties"] for each in resources if each["Type"] == "AWS::Lambda::Function"]
[layer] = [each["Properties"] for each in resources if each["Type"] == "AWS::Lambda::LayerVersion"]
actions = {each["Properties"]["Action"] for each in resources if each["Type"] == "AWS::Lambda::Permission"}
assert function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap", function
assert function["Runtime"] == "python3.13" and layer["CompatibleRuntimes"] == ["python3.13"], function
assert len(function["Layers"]) == 1 and function["Handler"] == "mysite.wsgi.application", function
assert actions == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}, actions
PYTHON
}

# The function of docs/runtime.md. moto takes the runtime's template, though it makes nothing of these types.
runtime() (
    export PATH="$aws/bin:$PATH"
    mkdir -p "$shown/dist" "$shown/layer/runtime-image"
    cp layer/runtime-image/*.yaml "$shown/layer/runtime-image/"
    cd "$shown" || exit 1
    cp shop.zip dist/flask.zip
    aws s3 mb s3://bucket
    aws cloudformation package --template-file layer/runtime-image/function.yaml --s3-bucket bucket \
        --output-template-file dist/function.yaml && grep -q "CodeUri: s3://bucket/" dist/function.yaml || exit 1
    set -- aws cloudformation deploy --stack-name runtime --template-file layer/runtime-image/runtime.yaml \
        --parameter-overrides
    "$@" ImageUri=111122223333.dkr.ecr.eu-west-1.amazonaws.com/wsgi-lambda@sha256:0 Version=v1 LiveVersion=v1 &&
        "$@" LiveVersion=v0
)

lint_shown() {
    install_aws || { skip "docs/deploy.md's commands: pip could not install tests/deploy/requirements.txt"; return; }
    collect_files
    check "moto: an AWS on this machine" start_moto
    check "AWS CLI: the shortest way of docs/deploy.md, against moto" shortest_way
    check "AWS CLI: the templates of docs/runtime.md, against moto" runtime
    node_tools || { skip "CDK and the Serverless Framework: npm is missing, or could not install them"; return; }
    check "cdk synth: app.py of docs/deploy.md" synth
    check "its template" made "$shown/cdk.out/Shop.template.json"
    # W3005: CDK writes each dependency out.
    check "cfn-lint: its template" "$venv/bin/cfn-lint" --ignore-checks W3005 -- "$shown/cdk.out/Shop.template.json"
    check "osls package: serverless.yml of docs/deploy.md, against moto" package
    check "its template" made "$shown/.serverless/cloudformation-template-update-stack.json"
    check "cfn-lint: its template" "$venv/bin/cfn-lint" -- "$shown/.serverless/cloudformation-template-update-stack.json"
}
